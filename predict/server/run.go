package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"tickercast/predict/fastlane"
)

// Run listens, loads, serves until a signal or the end of ctx, and returns when every request has
// its answer. It listens first, so that a port in use is reported before a file is read, and
// answers at once: probes and documents as always, forecasts with a 503 until there are prices.
//
// SIGTERM drains. The server reports at once that it is not ready. It goes on accepting for
// DrainDelay, because a balancer learns of that late, and then finishes what is under way. SIGINT
// comes from a person and skips the delay, as the end of ctx does. A second signal closes every
// connection at once, and so does the first one while the server loads.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer s.service.Close()
	defer s.judge.end()
	public, admin, err := s.listen(ctx)
	if err != nil {
		return err
	}
	defer public.Close()
	if admin != nil {
		defer admin.Close()
	}
	noHealth := s.serveHealth(ctx)
	defer s.health.Close()
	// A connection needs the certificate and the keys. They are small.
	data, credentials := s.reloader.resources[:1], s.reloader.resources[1:]
	if stopped, err := s.load(ctx, credentials, nil); stopped || err != nil {
		return err
	}
	lane := fastlane.New(s.laneConfig(public))
	registerLane(s.registry, lane)
	failed, accepted := make(chan error, 2), make(chan struct{})
	if admin != nil {
		go serveOn(s.admin, s.bounded(admin, s.admin, &s.operator, adminConns), failed)
	}
	// An inherited socket keeps clients waiting until there is a server that can answer.
	waits := isInherited(s.cfg.Addr)
	if !waits {
		go s.servePublic(lane, failed, accepted)
	}
	slow := time.AfterFunc(slowStart, func() { s.logger.Info("loading", "addr", addrOf(public)) })
	stopped, err := s.load(ctx, data, failed)
	slow.Stop()
	if stopped || err != nil {
		if faults := faultsOf(err); len(faults) > 1 { // the error has only the first
			s.logger.Error("faulty prices", "faults", firstFaults(faults))
		}
		s.close(lane)
		return err
	}
	if waits {
		go s.servePublic(lane, failed, accepted)
	}
	if s.cfg.OnReady != nil {
		s.cfg.OnReady(s.info(public, admin))
	}
	if noHealth != nil {
		s.logger.Warn("no health socket: tickercast healthcheck without -addr may ask another "+
			"server", "name", s.cfg.HealthSocket, "error", noHealth.Error())
	}
	s.warnAboutPrices()
	s.cfg.Manager.Ready("serving on " + addrOf(public))
	go s.reloader.serve(ctx, s.cfg.WatchInterval, s.cfg.Signals.Hangup, s.cfg.Manager)
	return s.await(ctx, lane, failed, accepted)
}

// slowStart is how long loading takes before the log says so.
const slowStart = 5 * time.Second

// load loads resources for the first time. stopped reports whether a signal or ctx came before they
// were loaded. An error of serving ends it too.
func (s *Server) load(ctx context.Context, resources []*resource,
	failed <-chan error) (stopped bool, err error) {
	loaded := make(chan error, 1)
	go func() { loaded <- loadFirst(ctx, resources) }()
	select {
	case err := <-loaded:
		return false, err
	case err := <-failed:
		return false, err
	case <-ctx.Done():
		return true, nil
	case <-s.cfg.Signals.Stop:
		return true, nil
	}
}

// servePublic answers requests until the server ends. accepted is closed when no connection can
// come any more.
func (s *Server) servePublic(lane *fastlane.Lane, failed chan<- error, accepted chan<- struct{}) {
	defer close(accepted)
	serveOn(s.public, s.conns.listener(lane), failed)
}

// serveOn answers requests on a listener. failed gets an error that ends it too early.
func serveOn(h *http.Server, ln net.Listener, failed chan<- error) {
	if err := h.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		failed <- err
	}
}

// await waits for what ends the server, and drains it.
func (s *Server) await(ctx context.Context, lane *fastlane.Lane, failed <-chan error,
	accepted <-chan struct{}) error {
	delay := time.Duration(0)
	select {
	case err := <-failed:
		s.close(lane)
		return err
	case <-ctx.Done():
	case sig := <-s.cfg.Signals.Stop:
		if sig == syscall.SIGTERM {
			delay = s.cfg.DrainDelay
		}
	}
	return s.drain(lane, delay, accepted)
}

// drain ends the server when the delay is over and what is under way is answered.
func (s *Server) drain(lane *fastlane.Lane, delay time.Duration, accepted <-chan struct{}) error {
	s.draining.Store(true)
	s.cfg.Manager.Stopping()
	s.logger.Info("draining", "delay", delay.String(), "grace", s.cfg.Grace.String())
	select {
	case <-time.After(delay):
	case <-s.cfg.Signals.Stop:
		return s.abort(lane)
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.Grace)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		go s.http2.end(ctx)
		// The lane first: what it hands over until its end is public's to finish.
		err := lane.Shutdown(ctx)
		<-accepted
		err = errors.Join(err, s.conns.drain(ctx), s.public.Shutdown(ctx))
		s.closeAdmin()
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			s.abort(lane)
			return errors.New("drain: requests still in flight at the end of the grace period")
		}
		s.logger.Info("drained")
		return nil
	case <-s.cfg.Signals.Stop:
		return s.abort(lane)
	}
}

// adminGrace is what requests on the admin port get when all others are answered: a profile or a
// reload may take longer than the process should.
const adminGrace = time.Second

func (s *Server) closeAdmin() {
	ctx, cancel := context.WithTimeout(context.Background(), adminGrace)
	defer cancel()
	if s.admin.Shutdown(ctx) != nil {
		s.admin.Close()
	}
}

// abort closes every connection without waiting for its answer.
func (s *Server) abort(lane *fastlane.Lane) error {
	s.close(lane)
	return errors.New("stopped by a second signal before the drain was over")
}

func (s *Server) close(lane *fastlane.Lane) {
	lane.Close()
	s.public.Close()
	s.admin.Close()
}

// listen opens both ports; admin is nil without an address for it.
func (s *Server) listen(ctx context.Context) (public, admin net.Listener, err error) {
	if public, err = s.listenOn(ctx, s.cfg.Addr); err != nil {
		return nil, nil, err
	}
	if s.cfg.AdminAddr == "" {
		return public, nil, nil
	}
	if admin, err = s.listenAdmin(ctx); err != nil {
		public.Close()
		return nil, nil, err
	}
	return public, admin, nil
}

// listenOn opens an address to those who may connect.
func (s *Server) listenOn(ctx context.Context, addr string) (net.Listener, error) {
	ln, err := s.cfg.Listen(ctx, addr)
	if file, ok := ln.(*socketFile); ok && err == nil {
		if err := file.open(s.cfg.SocketMode); err != nil {
			ln.Close()
			return nil, err
		}
	}
	return ln, err
}

// listenAdmin opens the admin port. If another program has the default one, it takes any free port,
// since the operator did not ask for that number.
func (s *Server) listenAdmin(ctx context.Context) (net.Listener, error) {
	ln, err := s.listenOn(ctx, s.cfg.AdminAddr)
	if s.cfg.AdminAddr == DefaultAdminAddr && errors.Is(err, syscall.EADDRINUSE) {
		ln, err = s.cfg.Listen(ctx, "127.0.0.1:0")
	}
	if err != nil {
		return nil, fmt.Errorf("admin address: %w", err)
	}
	// Profiles show what is in memory, and a reload is work.
	tcp, ok := ln.Addr().(*net.TCPAddr)
	if ok && !tcp.IP.IsLoopback() && s.cfg.AdminTokenFile == "" {
		ln.Close()
		return nil, fmt.Errorf("admin address %s can be reached from elsewhere: it needs "+
			"-admin-token-file", s.cfg.AdminAddr)
	}
	return ln, nil
}

// info is what OnReady gets.
func (s *Server) info(public, admin net.Listener) Info {
	m, mk := s.service.Current()
	i := Info{
		Addr:         addrOf(public),
		Model:        m,
		Market:       mk,
		MaxConns:     s.plan.Conns,
		CacheBytes:   s.plan.CacheBytes,
		HeldBytes:    s.plan.HeldBytes,
		MaxBatchBody: s.plan.BodyBytes(s.cfg.MaxBatchBody),
		FastLane:     s.cfg.FastLane,
	}
	if admin != nil {
		i.AdminAddr = addrOf(admin)
	}
	return i
}
