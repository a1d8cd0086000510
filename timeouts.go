package main

import (
	"flag"
	"net/http"
	"time"
)

// timeouts bound what a client may take for its part. What is zero is as in newHTTPServer.
type timeouts struct{ readHeader, read, write, idle time.Duration }

// each calls yield for every timeout, with the name of its flag.
func (t *timeouts) each(yield func(name string, t *time.Duration, usual time.Duration,
	usage string)) {
	yield("read-header-timeout", &t.readHeader, readHeaderTimeout,
		"`time` for a client to send the head of a request")
	yield("read-timeout", &t.read, readTimeout,
		"`time` for a client to send a request whole: a body of 1 MiB within 5s is 200 kB/s")
	yield("write-timeout", &t.write, writeTimeout,
		"`time` until a client has to have read its answer")
	yield("idle-timeout", &t.idle, idleTimeout,
		"`time` between two requests; longer than a balancer keeps its connections, so that it "+
			"closes them first")
}

func (t *timeouts) flags(set *flag.FlagSet) {
	t.each(func(name string, t *time.Duration, usual time.Duration, usage string) {
		set.DurationVar(t, name, usual, usage)
	})
}

// check refuses to wait for ever: one client of the slow kind for each connection would be all
// there ever is.
func (t *timeouts) check() (err error) {
	t.each(func(name string, t *time.Duration, _ time.Duration, _ string) {
		if err == nil && *t <= 0 {
			err = usagef("-%s %s is no time", name, t)
		}
	})
	return err
}

func (t *timeouts) apply(s *http.Server) {
	for _, of := range []struct{ to, from *time.Duration }{
		{&s.ReadHeaderTimeout, &t.readHeader}, {&s.ReadTimeout, &t.read},
		{&s.WriteTimeout, &t.write}, {&s.IdleTimeout, &t.idle},
	} {
		if *of.from > 0 {
			*of.to = *of.from
		}
	}
}
