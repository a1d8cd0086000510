package server

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tickercast/predict/internal/memnet"
)

// A drainCase is what a client does around the end of a server.
type drainCase struct {
	first string        // sent before the end, and answered
	then  string        // sent before the end, behind that
	after time.Duration // of the end, rest is sent
	rest  string
	more  string // sent a second later
	lost  bool   // no answer comes
}

// TestDrain ends a server when its connection is at each possible point. Virtual time makes the
// bounds exact.
func TestDrain(t *testing.T) {
	const (
		request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
		slow    = "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
		within  = finalReadTime - time.Millisecond
		behind  = finalReadTime + time.Millisecond
	)
	for name, tt := range map[string]drainCase{
		"a new connection": {rest: request, after: firstReadTime - time.Millisecond},
		"a new connection, later": {rest: request, after: firstReadTime + time.Millisecond,
			lost: true},
		"a byte in the final read": {rest: request[:1], more: request[1:],
			after: within},
		"half a head": {then: request[:9], rest: request[9:],
			after: time.Second},
		"an idle one, in the final read": {first: request, rest: request, after: within},
		"an idle one, after it": {first: request, rest: request, after: behind,
			lost: true},
		"half a second head": {first: request, then: request[:9], rest: request[9:],
			after: time.Second},
		"half a head in the final read": {first: request, rest: request[:9], more: request[9:],
			after: within},
		"half a head with the first": {first: request + request[:9], rest: request[9:],
			after: time.Second},
		"less than a head begins with": {first: request, then: request[:3], rest: request[3:],
			after: behind, lost: true},
		"a new one that asks for a lot":  {rest: slow, after: within},
		"a new one that is never sent":   {lost: true},
		"an idle one that is never sent": {first: request, lost: true},
	} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, tt.run) })
	}
}

func (tt drainCase) run(t *testing.T) {
	var conns connTracker
	var draining atomic.Bool
	server := newTestServer(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			time.Sleep(5 * time.Second)
		}
		if draining.Load() {
			w.Header().Set("Connection", "close")
		}
		io.WriteString(w, "done")
	})
	server.ConnState = conns.track
	ln := memnet.Listen()
	accepted := make(chan error, 1)
	go func() { accepted <- server.Serve(conns.listener(ln)) }()

	c, err := ln.Dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewReader(c)
	if tt.first != "" {
		io.WriteString(c, tt.first)
		if body, _, err := readAnswer(in); body != "done" || err != nil {
			t.Fatalf("before the end: got %q, %v", body, err)
		}
	}
	io.WriteString(c, tt.then)
	synctest.Wait()

	draining.Store(true)
	began := time.Now()
	ln.Close()
	<-accepted
	ended := make(chan error, 1)
	go func() {
		ended <- errors.Join(conns.drain(t.Context(), server), server.Shutdown(t.Context()))
	}()
	time.Sleep(tt.after)
	io.WriteString(c, tt.rest)
	if tt.more != "" {
		time.Sleep(time.Second)
		io.WriteString(c, tt.more)
	}
	body, closed, err := readAnswer(in)
	switch {
	case tt.lost && err == nil:
		t.Errorf("got %q, want no answer", body)
	case !tt.lost && (err != nil || body != "done" || !closed):
		t.Errorf("got %q, close %v, %v; want the answer, and that it is the last", body, closed,
			err)
	}
	if err := <-ended; err != nil {
		t.Errorf("drain: %v", err)
	}
	most := 10 * finalReadTime
	if tt.first == "" {
		most += firstReadTime
	}
	if took := time.Since(began); tt.rest == "" && took >= most {
		t.Errorf("waited %v for nothing", took)
	}
	c.Close()
	for range conns.all {
		t.Error("a connection is left")
	}
}

func readAnswer(in *bufio.Reader) (body string, closed bool, err error) {
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return "", false, err
	}
	b, err := io.ReadAll(resp.Body)
	return string(b), resp.Close, err
}

// newTestServer is an http.Server with the usual timeouts.
func newTestServer(h http.HandlerFunc) *http.Server {
	cfg := Default()
	cfg.Logger = slog.New(slog.DiscardHandler)
	return newHTTPServer(&cfg, h)
}

func TestDrainEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var conns connTracker
		c := &trackedConn{Conn: new(memnet.Conn)}
		conns.track(c, http.StateNew)
		conns.track(c, http.StateActive)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := conns.drain(ctx, newTestServer(http.NotFound))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the error of the context", err)
		}
	})
}
