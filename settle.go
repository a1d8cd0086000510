package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// connections are those of an http.Server, each with what it is doing, so that a drain can wait
// before it calls Shutdown. From then on the server drops, unanswered, every request that it has
// yet to read, be its connection new or idle.
type connections struct {
	// net.Conn, as http.Server knows it, to *watchedConn; no lock, since each request looks here
	// twice
	open sync.Map
}

// watch is the listener that the server must accept from.
func (c *connections) watch(ln net.Listener) net.Listener { return watchedListener{ln} }

// track is for http.Server.ConnState.
func (c *connections) track(nc net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c.open.Store(nc, watchedIn(nc))
	case http.StateClosed, http.StateHijacked:
		c.open.Delete(nc)
	default:
		if w, ok := c.open.Load(nc); ok {
			w.(*watchedConn).enter(state)
		}
	}
}

// settle waits until every request that has reached the server is answered, if answers say that
// they are the last of their connection. No connection may come any more.
func (c *connections) settle(ctx context.Context, server *http.Server) error {
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		waiting := false
		for nc, w := range c.all {
			if w.idle() && speaksHTTP2(server, nc) {
				continue
			}
			waiting = true
			w.lookLast()
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

func (c *connections) all(yield func(net.Conn, *watchedConn) bool) {
	c.open.Range(func(nc, w any) bool { return yield(nc.(net.Conn), w.(*watchedConn)) })
}

// speaksHTTP2 tells whether a connection may be one that reads all the time, whose end Shutdown
// announces.
func speaksHTTP2(server *http.Server, nc net.Conn) bool {
	if t, ok := nc.(*tls.Conn); ok {
		return t.ConnectionState().NegotiatedProtocol == "h2"
	}
	return server.Protocols.UnencryptedHTTP2()
}
