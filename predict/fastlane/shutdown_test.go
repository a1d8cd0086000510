package fastlane_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"tickercast/predict/fastlane"
	"tickercast/predict/internal/memnet"
)

func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := memnet.Listen()
		srv := newServer(handler())
		l := fastlane.New(fastlane.Config{Listener: ln, Routes: routes(answer), Server: srv})
		served := make(chan error, 1)
		go func() { served <- srv.Serve(l) }()

		silent := dial(t, ln)
		time.Sleep(time.Second)
		fresh, idle, other := dial(t, ln), dial(t, ln), dial(t, ln)
		head, body := dial(t, ln), dial(t, ln)
		idle.send(post(apple))
		head.Write([]byte(post(apple)[:40]))
		body.Write([]byte(post(apple)[:len(post(apple))-4]))
		other.Write([]byte("POST /predi"))
		synctest.Wait()

		begin := time.Now()
		done := make(chan error, 1)
		go func() { done <- l.Shutdown(t.Context()) }()
		for _, c := range []client{silent, idle} {
			if got := c.ended().Sub(begin); got > 100*time.Millisecond {
				t.Errorf("a connection without a request closed after %v", got)
			}
		}
		if _, err := ln.Dial(nil); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dialling while it shuts down: got %v", err)
		}
		time.Sleep(800 * time.Millisecond)
		if r := fresh.send(post(apple)); r.StatusCode != http.StatusOK || !r.Close {
			t.Errorf("a client just let in: got status %d, close %v; want 200, true",
				r.StatusCode, r.Close)
		}
		select {
		case err := <-done:
			t.Fatalf("Shutdown returned %v with requests half read", err)
		default:
		}
		for _, c := range []client{head, body} {
			rest := post(apple)[40:]
			if c == body {
				rest = post(apple)[len(post(apple))-4:]
			}
			if r := c.send(rest); r.StatusCode != http.StatusOK || !r.Close {
				t.Errorf("the rest of a request: got status %d, close %v; want 200, true",
					r.StatusCode, r.Close)
			}
			c.ended()
		}
		r := other.send("ct2 HTTP/1.1\r\nHost: a\r\n\r\n")
		if r.StatusCode != http.StatusNotFound {
			t.Errorf("another route: got status %d, want 404", r.StatusCode)
		}
		if err := <-done; err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Serve: got %v, want %v", err, net.ErrClosed)
		}
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Errorf("Server.Shutdown: %v", err)
		}
		other.ended()
		if got := l.Stats(); got.Open != 0 || got.InLane != 0 || got.TimedOut != 0 {
			t.Errorf("at the end: got %+v", got)
		}
	})
}

// TestShutdownAnswersWhatWasSent: a request that was sent before the connection was closed is
// answered, however late the server reads it.
func TestShutdownAnswersWhatWasSent(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			ln := memnet.Listen()
			srv := newServer(handler())
			l := fastlane.New(fastlane.Config{Listener: ln, Routes: routes(answer), Server: srv})
			go srv.Serve(l)
			c := dial(t, ln)
			c.send(post(apple))
			go l.Shutdown(t.Context())
			if r := c.send(post(apple)); r.StatusCode != http.StatusOK {
				t.Errorf("got status %d", r.StatusCode)
			}
			srv.Shutdown(t.Context())
		})
	}
}

func TestShutdownGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := memnet.Listen()
		srv := newServer(handler())
		srv.ReadHeaderTimeout = 0
		srv.ReadTimeout = 0
		l := fastlane.New(fastlane.Config{Listener: ln, Routes: routes(answer), Server: srv})
		go srv.Serve(l)
		c := dial(t, ln)
		c.Write([]byte("POST"))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		if err := l.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
		}
		if got := c.ended().Sub(begin); got != time.Minute {
			t.Errorf("closed after %v, want 1 m", got)
		}
		srv.Close()
	})
}

// TestShutdownEmptiesBacklog: a client whose connection the system has completed may have sent a
// request, so the lane still accepts it.
func TestShutdownEmptiesBacklog(t *testing.T) {
	ln := listenTCP(t)
	gate := &gated{TCPListener: ln, open: make(chan struct{})}
	l := serve(t, fastlane.Config{Listener: gate, Routes: routes(answer)})
	var conns []net.Conn
	for range 20 {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte(post(apple))); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	done := make(chan error, 1)
	go func() { done <- l.Shutdown(t.Context()) }()
	for i, c := range conns {
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || r.StatusCode != http.StatusOK || !r.Close {
			t.Errorf("connection %d: got %+v, %v", i, r, err)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// gated accepts nothing until the lane ends accepting, as if the CPU were busy.
type gated struct {
	*net.TCPListener
	open chan struct{}
	once sync.Once
}

func (g *gated) Accept() (net.Conn, error) {
	<-g.open
	return g.TCPListener.Accept()
}

func (g *gated) SetDeadline(t time.Time) error {
	g.once.Do(func() { close(g.open) })
	return g.TCPListener.SetDeadline(t)
}

func (g *gated) Close() error {
	g.once.Do(func() { close(g.open) })
	return g.TCPListener.Close()
}
