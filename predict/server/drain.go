package server

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// A connTracker knows what each connection of an http.Server is doing, so that a drain can wait
// before it calls Shutdown: from then on the server drops, unanswered, every request that it has
// not read yet, on new and idle connections alike.
type connTracker struct {
	// net.Conn, as http.Server knows it, to *trackedConn; no lock, as each request looks twice
	open sync.Map
}

// listener wraps ln. The server must accept from what it returns.
func (c *connTracker) listener(ln net.Listener) net.Listener { return trackedListener{ln} }

// track is for http.Server.ConnState.
func (c *connTracker) track(nc net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c.open.Store(nc, trackedIn(nc))
	case http.StateClosed, http.StateHijacked:
		c.open.Delete(nc)
	default:
		if t, ok := c.open.Load(nc); ok {
			t.(*trackedConn).enter(state)
		}
	}
}

// drain blocks until no HTTP/1 connection has a request in progress or partly received. Responses
// must already carry Connection: close, and no connection may be accepted any more.
func (c *connTracker) drain(ctx context.Context, server *http.Server) error {
	first := firstReadTime
	if end, ok := ctx.Deadline(); ok {
		first = min(first, time.Until(end)/2)
	}
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		waiting := false
		for nc, t := range c.all {
			if t.idle() && speaksHTTP2(server, nc) {
				continue
			}
			waiting = true
			t.readFinally(first)
		}
		if !waiting {
			return nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (c *connTracker) all(yield func(net.Conn, *trackedConn) bool) {
	c.open.Range(func(nc, t any) bool { return yield(nc.(net.Conn), t.(*trackedConn)) })
}

// speaksHTTP2 reports whether a connection may speak HTTP/2, whose end Shutdown announces.
func speaksHTTP2(server *http.Server, nc net.Conn) bool {
	if t, ok := nc.(*tls.Conn); ok {
		return t.ConnectionState().NegotiatedProtocol == "h2"
	}
	return server.Protocols.UnencryptedHTTP2()
}

const (
	// finalReadTime is what a connection without a request gets when the server stops: bytes sent
	// before may just be arriving.
	finalReadTime = 5 * time.Millisecond

	// firstReadTime is what it gets from its start on, if it has never sent anything and the drain
	// has twice as much time: a busy client may need a while for its first bytes.
	firstReadTime = time.Second
)

// A trackedConn is a connection of an http.Server that knows whether a request has begun. The
// server itself calls a connection idle until the whole head of its next request is there, and
// answers 400 when a deadline ends in the middle of it.
type trackedConn struct {
	net.Conn
	began time.Time

	mu       sync.Mutex
	state    http.ConnState
	received bool // anything at all
	// read deadlines set in this state: the first is for idling, the second for a head
	deadlines int
	wanted    time.Time // the last of these
	final     finalRead
	until     time.Time // the end of the final read
	first     time.Duration
}

// finalRead is how far the last read of a connection has come.
type finalRead int

const (
	notFinal     finalRead = iota
	finalAsked             // the reading goroutine is woken by a deadline in the past
	finalReading           // and reads once more, until the end of finalReadTime
)

type trackedListener struct{ net.Listener }

func (l trackedListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if _, ok := nc.(*tls.Conn); ok || err != nil {
		return nc, err // the server must see which protocol was chosen in the handshake
	}
	return &trackedConn{Conn: nc, began: time.Now()}, nil
}

// trackedIn returns the connection of a trackedListener. HTTP/2 over TLS needs only a record of its
// state.
func trackedIn(nc net.Conn) *trackedConn {
	if t, ok := nc.(*trackedConn); ok {
		return t
	}
	return &trackedConn{Conn: nc, received: true}
}

func (t *trackedConn) enter(state http.ConnState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state, t.deadlines, t.final = state, 0, notFinal
}

func (t *trackedConn) idle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state == http.StateIdle
}

// begunLocked reports whether any of a request is there. One that follows another begins, for
// net/http as for the lane, with its fourth byte, when net/http sets the deadline of the head.
// Counting bytes would not do: they may have come together with the request before.
func (t *trackedConn) begunLocked() bool {
	switch t.state {
	case http.StateNew:
		return t.received
	case http.StateIdle:
		return t.deadlines > 1
	}
	return true
}

// readFinally ends the connection soon unless a request begins. first is what one that has never
// sent anything gets from its start on.
func (t *trackedConn) readFinally(first time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.final == notFinal && !t.begunLocked() {
		t.final, t.first = finalAsked, first
		t.setDeadlineLocked()
	}
}

// setDeadlineLocked sets the deadline that counts now.
func (t *trackedConn) setDeadlineLocked() error {
	by := t.wanted
	if !t.begunLocked() {
		switch {
		case t.final == finalAsked:
			by = time.Unix(1, 0)
		case t.final == finalReading && (by.IsZero() || t.until.Before(by)):
			by = t.until
		}
	}
	return t.Conn.SetReadDeadline(by)
}

func (t *trackedConn) SetReadDeadline(by time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wanted = by
	t.deadlines++
	return t.setDeadlineLocked()
}

func (t *trackedConn) SetDeadline(by time.Time) error {
	return errors.Join(t.SetReadDeadline(by), t.SetWriteDeadline(by))
}

func (t *trackedConn) Read(b []byte) (int, error) {
	for {
		n, err := t.Conn.Read(b)
		if !t.again(n, err) {
			return n, err
		}
	}
}

// again notes what a read brought and reports whether to read once more. The time of the final read
// begins here and not where it was asked for: on a busy machine this goroutine may have to wait for
// longer than that.
func (t *trackedConn) again(n int, err error) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n > 0 && !t.received {
		t.received = true
		if t.final != notFinal {
			t.setDeadlineLocked()
		}
	}
	if n > 0 || t.final != finalAsked || t.begunLocked() ||
		!errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	t.final, t.until = finalReading, time.Now().Add(finalReadTime)
	if first := t.began.Add(t.first); t.state == http.StateNew && first.After(t.until) {
		t.until = first
	}
	t.setDeadlineLocked()
	return true
}

// CloseWrite is how net/http ends a connection on which bytes may still be coming.
func (t *trackedConn) CloseWrite() error {
	if c, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}
