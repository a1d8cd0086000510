package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os/signal"
	"syscall"
	"time"
)

// defaultAdminAddr is loopback: what it answers is for operators alone.
const defaultAdminAddr = "127.0.0.1:9090"

// serveFlags are the settings of serve. Each is also an environment variable.
type serveFlags struct {
	source
	addr, adminAddr   string
	cacheEntries      int
	cacheBytes        int64
	ttl               time.Duration
	drainDelay, grace time.Duration
	watch             time.Duration
	redactInput       bool
	fastlane          bool
}

func (p *program) serve(set *flag.FlagSet) func(context.Context, []string) error {
	f := new(serveFlags)
	src := sourceFlags(set)
	set.StringVar(&f.addr, "addr", ":8080", "`address` to serve on; port 0 takes a free one")
	set.StringVar(&f.adminAddr, "admin-addr", defaultAdminAddr, "`address` of metrics, pprof and reload; empty for none")
	set.IntVar(&f.cacheEntries, "cache-entries", 1<<16, "answers to keep")
	set.Int64Var(&f.cacheBytes, "cache-bytes", 64<<20, "`bytes` of answers to keep")
	set.DurationVar(&f.ttl, "cache-ttl", time.Hour, "`time` to keep an answer")
	set.DurationVar(&f.drainDelay, "drain-delay", 5*time.Second, "`time` to go on accepting after SIGTERM, until balancers know")
	set.DurationVar(&f.grace, "grace", 10*time.Second, "`time` for requests in flight after that")
	set.DurationVar(&f.watch, "watch", 2*time.Second, "`interval` of looks at the files of prices and weights; 0 for none")
	set.BoolVar(&f.redactInput, "redact-input", false, "leave what the client sent out of a 422")
	set.BoolVar(&f.fastlane, "fastlane", true, "answer plain POST /predict without net/http")
	return func(ctx context.Context, _ []string) error {
		f.source = *src
		return f.run(ctx, p)
	}
}

// run listens first, so that a port in use is told before a file is read, and is
// ready when the world is loaded and checked.
func (f *serveFlags) run(ctx context.Context, p *program) error {
	logger := p.logger()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop, hangup := catchSignals()
	defer signal.Stop(stop)
	defer signal.Stop(hangup)
	ln, err := net.Listen("tcp", f.addr)
	if err != nil {
		return err
	}
	defer ln.Close()
	adminLn, err := f.listenAdmin()
	if err != nil {
		return err
	}
	w, err := f.source.load()
	if err != nil {
		return err
	}
	s, err := f.newServing(w, logger)
	if err != nil {
		return err
	}
	defer s.service.Close()
	public := newHTTPServer(s.handler(), logger)
	l := &lifecycle{
		logger:     logger,
		drainDelay: f.drainDelay,
		grace:      f.grace,
		draining:   &s.draining,
		reload:     func(why string) { s.reloader.reload(why) },
		public:     public,
		lane:       s.lane(ln, public, f.fastlane),
		stop:       stop,
		hangup:     hangup,
	}
	if adminLn != nil {
		l.admin, l.adminListen = newHTTPServer(s.adminRoutes(), logger), adminLn
		l.admin.WriteTimeout = 2 * time.Minute // a CPU profile is written at its end
	}
	if f.watch > 0 && (f.prices != "" || f.weights != "") {
		go s.reloader.watch(ctx, f.watch)
	}
	p.announce(logger, ln.Addr().String(), addrString(adminLn), w)
	return l.run(ctx)
}

// listenAdmin listens on the admin address. The default one may be another
// program's; then a free port will do, since nobody asked for that one.
func (f *serveFlags) listenAdmin() (net.Listener, error) {
	if f.adminAddr == "" {
		return nil, nil
	}
	ln, err := net.Listen("tcp", f.adminAddr)
	if f.adminAddr == defaultAdminAddr && errors.Is(err, syscall.EADDRINUSE) {
		ln, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return nil, fmt.Errorf("admin address: %w", err)
	}
	return ln, nil
}

func addrString(ln net.Listener) string {
	if ln == nil {
		return ""
	}
	return ln.Addr().String()
}
