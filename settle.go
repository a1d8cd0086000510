package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// connections are those of an http.Server, each with what it is doing, so that a drain can wait before it calls Shutdown.
// From then on the server drops, unanswered, every request that it has yet to read, be its connection new or idle.
type connections struct {
	states sync.Map // net.Conn to *atomic.Int32, its http.ConnState; no lock, since each request changes it twice
}

// track is for http.Server.ConnState.
func (c *connections) track(nc net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c.states.Store(nc, new(atomic.Int32)) // StateNew is zero
	case http.StateClosed, http.StateHijacked:
		c.states.Delete(nc)
	default:
		if s, ok := c.states.Load(nc); ok {
			s.(*atomic.Int32).Store(int32(state))
		}
	}
}

const (
	// lastLook is what an idle connection gets when the server stops: what was sent before may just be coming.
	lastLook = 5 * time.Millisecond

	// lookedEnough bounds the wait for idle connections to see that their time is over. One that became idle in the moment
	// of the last look has set itself a new deadline since, and is Shutdown's to close.
	lookedEnough = 250 * time.Millisecond
)

// settle waits until every request that has reached the server is answered, if answers say that they are the last of their
// connection. No connection may come any more.
func (c *connections) settle(ctx context.Context, server *http.Server) error {
	began := time.Now()
	looked := make(map[net.Conn]bool)
	for nc, state := range c.all {
		if state == http.StateIdle && !speaksHTTP2(server, nc) {
			looked[nc] = true
			nc.SetReadDeadline(began.Add(lastLook))
		}
	}
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		busy, looking := false, false
		for nc, state := range c.all {
			if state == http.StateIdle {
				looking = looking || looked[nc]
			} else {
				busy = true
			}
		}
		if !busy && (!looking || time.Since(began) > lookedEnough) {
			return nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (c *connections) all(yield func(net.Conn, http.ConnState) bool) {
	c.states.Range(func(nc, state any) bool {
		return yield(nc.(net.Conn), http.ConnState(state.(*atomic.Int32).Load()))
	})
}

// speaksHTTP2 tells whether a connection may be one that reads all the time, whose end Shutdown announces.
func speaksHTTP2(server *http.Server, nc net.Conn) bool {
	if t, ok := nc.(*tls.Conn); ok {
		return t.ConnectionState().NegotiatedProtocol == "h2"
	}
	return server.Protocols.UnencryptedHTTP2()
}
