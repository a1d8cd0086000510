package main

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// lastLook is what a connection without a request gets when the server stops: what was sent before
// may just be coming.
const lastLook = 5 * time.Millisecond

// A watchedConn is a connection of an http.Server that knows whether a request has begun. The
// server calls it idle until the whole head of its next request is there, and a deadline that ends
// in half of that has the server answer 400.
type watchedConn struct {
	net.Conn

	mu       sync.Mutex
	state    http.ConnState
	received bool // anything at all
	// for reading that the server has set since then: after that of being idle comes that of a head
	deadlines int
	wanted    time.Time // the last of these
	look      look
	until     time.Time // the end of the last look
}

// look is how far the last look has come.
type look int

const (
	notLooking look = iota
	lookAsked       // whoever reads shall wake up
	looking         // and has, to read once more until the end of the look
)

type watchedListener struct{ net.Listener }

func (l watchedListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &watchedConn{Conn: nc}, nil
}

// watchedIn finds the connection from a watchedListener in what an http.Server makes of it.
func watchedIn(nc net.Conn) *watchedConn {
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	return nc.(*watchedConn)
}

func (w *watchedConn) enter(state http.ConnState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state, w.deadlines, w.look = state, 0, notLooking
}

func (w *watchedConn) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state == http.StateIdle
}

// begun tells whether there is any of a request. One that follows another begins, to the server and
// to the lane, with its fourth byte; to count what is received would not do, for the bytes may have
// come together with the request before.
func (w *watchedConn) begun() bool {
	switch w.state {
	case http.StateNew:
		return w.received
	case http.StateIdle:
		return w.deadlines > 1
	}
	return true
}

// lookLast ends the connection soon unless a request begins.
func (w *watchedConn) lookLast() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.look == notLooking && !w.begun() {
		w.look = lookAsked
		w.setDeadline()
	}
}

// setDeadline sets the one that counts now.
func (w *watchedConn) setDeadline() error {
	by := w.wanted
	if !w.begun() {
		switch {
		case w.look == lookAsked:
			by = time.Unix(1, 0) // over
		case w.look == looking && (by.IsZero() || w.until.Before(by)):
			by = w.until
		}
	}
	return w.Conn.SetReadDeadline(by)
}

func (w *watchedConn) SetReadDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wanted = t
	w.deadlines++
	return w.setDeadline()
}

func (w *watchedConn) SetDeadline(t time.Time) error {
	return errors.Join(w.SetReadDeadline(t), w.SetWriteDeadline(t))
}

func (w *watchedConn) Read(b []byte) (int, error) {
	for {
		n, err := w.Conn.Read(b)
		if !w.again(n, err) {
			return n, err
		}
	}
}

// again takes note of what a read has brought, and tells whether to read once more. The time of the
// last look begins here, not where it was asked for: a machine with much to do may let this
// goroutine wait for longer.
func (w *watchedConn) again(n int, err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n > 0 && !w.received {
		w.received = true
		if w.look != notLooking {
			w.setDeadline()
		}
	}
	if n > 0 || w.look != lookAsked || w.begun() || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	w.look, w.until = looking, time.Now().Add(lastLook)
	w.setDeadline()
	return true
}

// CloseWrite is asked for by net/http to end a connection on which bytes may still be coming.
func (w *watchedConn) CloseWrite() error {
	if c, ok := w.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}
