package main

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"tickercast/predict/fastlane"
)

// Limits of net/http. A zero http.Server has none.
const (
	readHeaderTimeout = 3 * time.Second  // slow headers
	readTimeout       = 5 * time.Second  // slow bodies: 1 MiB within it is 200 kB/s
	writeTimeout      = 10 * time.Second // slow readers
	// above the 60 s of common balancers, so that they close first
	idleTimeout    = 75 * time.Second
	maxHeaderBytes = 8 << 10 // net/http adds 4 KiB of slack
	// of HTTP/2 at once: what one connection can make the server do
	maxStreams = 100
)

// newPublicServer is the server of the public address, with the protocols that were asked for.
func (f *serveFlags) newPublicServer(s *serving) *http.Server {
	server := newHTTPServer(s.handler(), s.logger)
	f.timeouts.apply(server)
	server.ConnState = s.conns.track
	server.TLSConfig = s.guard.tlsConfig()
	server.Protocols.SetHTTP2(server.TLSConfig != nil)
	server.Protocols.SetUnencryptedHTTP2(f.h2c)
	return server
}

// newHTTPServer speaks HTTP/1 alone.
func newHTTPServer(h http.Handler, logger *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Protocols:                    protocols,
		HTTP2:                        &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		Handler:                      h,
		ReadHeaderTimeout:            readHeaderTimeout,
		ReadTimeout:                  readTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  idleTimeout,
		MaxHeaderBytes:               maxHeaderBytes,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     errorLog(logger),
	}
}

// errorLog passes on at most one line a second: what net/http logs, clients cause.
func errorLog(logger *slog.Logger) *log.Logger {
	w := &rateLimited{logger: logger, now: time.Now}
	return log.New(w, "", 0)
}

type rateLimited struct {
	logger  *slog.Logger
	now     func() time.Time
	next    atomic.Int64 // unix nanoseconds before which lines are dropped
	dropped atomic.Int64
}

func (r *rateLimited) Write(line []byte) (int, error) {
	now, next := r.now().UnixNano(), r.next.Load()
	if now < next || !r.next.CompareAndSwap(next, now+int64(time.Second)) {
		r.dropped.Add(1)
		return len(line), nil
	}
	r.logger.Warn("http", "error", string(line[:max(0, len(line)-1)]), "dropped", r.dropped.Swap(0))
	return len(line), nil
}

// A lifecycle is what a server does between its first connection and its exit.
type lifecycle struct {
	logger      *slog.Logger
	drainDelay  time.Duration // how long requests are still accepted after SIGTERM
	grace       time.Duration // how long requests in flight may take after that
	draining    *atomic.Bool  // readable by the handlers: not ready, close after answering
	reload      func(why string)
	public      *http.Server
	conns       *connections   // of public
	lane        *fastlane.Lane // what public accepts from
	admin       *http.Server   // nil: none
	adminListen net.Listener
	stop        <-chan os.Signal
	hangup      <-chan os.Signal
}

// catchSignals comes before everything else, so that no signal kills a server that is starting.
func catchSignals() (stop, hangup chan os.Signal) {
	stop, hangup = make(chan os.Signal, 2), make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	notifyHangup(hangup)
	ignoreBrokenPipe()
	return stop, hangup
}

// run serves until a signal or a listener's failure and returns when every request has its answer.
// SIGTERM drains: not ready at once, then accept for drainDelay, because a balancer learns of it
// late, then finish. SIGINT comes from a person and skips the delay. A second signal ends the
// process at once.
func (l *lifecycle) run(ctx context.Context) error {
	failed := make(chan error, 2)
	serve := func(s *http.Server, ln net.Listener) {
		serve := s.Serve
		if s.TLSConfig != nil {
			serve = func(ln net.Listener) error { return s.ServeTLS(ln, "", "") }
		}
		if err := serve(ln); !errors.Is(err, http.ErrServerClosed) {
			failed <- err
		}
	}
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		serve(l.public, l.conns.watch(l.lane))
	}()
	if l.admin != nil {
		go serve(l.admin, l.adminListen)
	}

	var delay time.Duration
	for waiting := true; waiting; {
		select {
		case err := <-failed:
			return err
		case <-ctx.Done():
			waiting = false
		case <-l.hangup:
			// seconds, for long files, in which a signal to stop must not wait
			go l.reload("SIGHUP")
		case s := <-l.stop:
			if s == syscall.SIGTERM {
				delay = l.drainDelay
			}
			waiting = false
		}
	}
	return l.drain(delay, accepted)
}

// drain ends the server when the delay is over. Nothing is accepted any more once accepted is
// closed, which the end of the lane brings about.
func (l *lifecycle) drain(delay time.Duration, accepted <-chan struct{}) error {
	l.draining.Store(true)
	l.logger.Info("draining", "delay", delay.String(), "grace", l.grace.String())
	select {
	case <-time.After(delay):
	case <-l.stop:
		return l.abort()
	}
	ctx, cancel := context.WithTimeout(context.Background(), l.grace)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		// The lane first: what it hands over until its end is public's to finish.
		err := l.lane.Shutdown(ctx)
		<-accepted
		err = errors.Join(err, l.conns.settle(ctx, l.public), l.public.Shutdown(ctx))
		if l.admin != nil {
			err = errors.Join(err, l.admin.Shutdown(ctx))
		}
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			l.abort()
			return errors.New("drain: requests still in flight at the end of the grace period")
		}
		l.logger.Info("drained")
		return nil
	case <-l.stop:
		return l.abort()
	}
}

// abort closes every connection without waiting for its answer.
func (l *lifecycle) abort() error {
	l.lane.Close()
	l.public.Close()
	if l.admin != nil {
		l.admin.Close()
	}
	return errors.New("stopped by a second signal before the drain was over")
}
