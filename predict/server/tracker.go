package server

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"

	"tickercast/predict/internal/limits"
	"tickercast/predict/internal/ratelimit"
)

// A connTracker knows what each connection of an http.Server is doing, so that a drain can wait
// before it calls Shutdown: from then on the server drops, unanswered, every request that it has
// not read yet, on new and idle connections alike.
type connTracker struct {
	// net.Conn, as http.Server knows it, to *trackedConn; no lock, as each request looks twice
	open sync.Map

	head headCounter // of a new connection

	limiter *limits.Limiter // nil: what the connections hold is not counted
	cores   *coreQueue
	proxies ratelimit.Proxies
	h2c     bool // the connections may speak HTTP/2 though they are not encrypted
}

// listener wraps ln. The server must accept from what it returns.
func (c *connTracker) listener(ln net.Listener) net.Listener { return trackedListener{ln, c} }

// track is for http.Server.ConnState.
func (c *connTracker) track(nc net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if t, ok := nc.(*trackedConn); ok {
			c.open.Store(nc, t) // others are there since Accept
		}
	case http.StateClosed, http.StateHijacked:
		if t, ok := c.open.LoadAndDelete(nc); ok {
			t.(*trackedConn).end()
		}
	default:
		if t, ok := c.open.Load(nc); ok {
			t.(*trackedConn).enter(state)
		}
	}
}

func (c *connTracker) all(yield func(net.Conn, *trackedConn) bool) {
	c.open.Range(func(nc, t any) bool { return yield(nc.(net.Conn), t.(*trackedConn)) })
}

type trackedListener struct {
	net.Listener
	tracker *connTracker
}

func (l trackedListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	t := &trackedConn{Conn: nc, tracker: l.tracker, began: now,
		turn: turn{since: now, progress: now}, head: l.tracker.head,
		core: newCore(l.tracker.cores)}
	if l.tracker.limiter != nil {
		l.tracker.limiter.Open(&t.memory.hold, t, freeHead)
	}
	sealed, ok := nc.(*tls.Conn)
	if !ok {
		return t, nil
	}
	// The server must see what was chosen in the handshake. It reads such a connection itself only
	// to find that the handshake has failed.
	t.received, t.head = true, headCounter{}
	if sealed.ConnectionState().NegotiatedProtocol == "h2" {
		t.http2.Store(true)
	}
	l.tracker.open.Store(nc, t)
	return nc, nil
}

// of returns what is known of a connection that came from the listener.
func (c *connTracker) of(nc net.Conn) *trackedConn {
	if t, ok := nc.(*trackedConn); ok {
		return t
	}
	t, _ := c.open.Load(nc)
	return t.(*trackedConn)
}
