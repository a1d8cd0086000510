package server

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// drain blocks until no HTTP/1 connection has a request in progress or partly received. Responses
// must already carry Connection: close, and no connection may be accepted any more.
func (c *connTracker) drain(ctx context.Context) error {
	first := firstReadTime
	if end, ok := ctx.Deadline(); ok {
		first = min(first, time.Until(end)/2)
	}
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		waiting := false
		for _, t := range c.all {
			if t.http2.Load() {
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

const (
	// finalReadTime is what a connection without a request gets when the server stops: bytes sent
	// before may just be arriving.
	finalReadTime = 5 * time.Millisecond

	// firstReadTime is what it gets from its start on, if it has never sent anything and the drain
	// has twice as much time: a busy client may need a while for its first bytes.
	firstReadTime = time.Second
)

// maxExtended is how many times bytes put off the end of the final read. The first of them need not
// show that a request begins: they may be half a record of TLS, or a frame of HTTP/2.
const maxExtended = 4

// A trackedConn is a connection of an http.Server that knows whether a request has begun. The
// server itself calls a connection idle until the whole head of its next request is there, and
// answers 400 when a deadline ends in the middle of it.
type trackedConn struct {
	net.Conn
	tracker    *connTracker
	coding     codingWatch
	core       core          // taken with what a read brings, until the next or a handler
	memory     connHold      // only for the goroutine that reads
	freeStream atomic.Bool   // a stream of HTTP/2 is the one that is free
	refusing   chan struct{} // of HTTP/2: has an element for each stream that is being refused
	began      time.Time
	http2      atomic.Bool // it has no heads of HTTP/1, and its end is for an http2Service

	mu       sync.Mutex
	state    http.ConnState
	received bool // anything at all
	// read deadlines set in this state: the first is for idling, the second for a head
	deadlines int
	wanted    time.Time // the last of these
	final     finalRead
	until     time.Time // the end of the final read
	first     time.Duration
	extended  int // how many times bytes have put off the end of the final read

	turn
	head headCounter
}

// finalRead is how far the last read of a connection has come.
type finalRead int

const (
	notFinal     finalRead = iota
	finalAsked             // the reading goroutine is woken by a deadline in the past
	finalReading           // and reads once more, until the end of finalReadTime
)

// end notes that the connection is closed.
func (t *trackedConn) end() {
	t.memory.end()
	t.core.end()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state = http.StateClosed
	t.endEvictionLocked()
}

func (t *trackedConn) enter(state http.ConnState) {
	if state == http.StateIdle && !t.http2.Load() {
		t.memory.hold.Release()
		t.memory.read = false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state, t.deadlines, t.final = state, 0, notFinal
	if state == http.StateIdle {
		t.since = time.Now()
		t.answers++
		t.head.begin()
		return
	}
	t.endEvictionLocked()
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
	t.wanted = by
	t.deadlines++
	if t.begunLocked() {
		t.endEvictionLocked()
	}
	next := t.state == http.StateIdle && t.deadlines == 2
	err := t.setDeadlineLocked()
	t.mu.Unlock()
	if next {
		t.countRest()
	}
	return err
}

func (t *trackedConn) SetDeadline(by time.Time) error {
	return errors.Join(t.SetReadDeadline(by), t.SetWriteDeadline(by))
}

func (t *trackedConn) Read(b []byte) (int, error) {
	for !t.head.ended {
		t.core.giveBack()
		n, err := t.Conn.Read(b)
		if n > 0 && len(b) > 1 { // net/http reads one byte while a handler runs
			t.core.take()
		}
		t.coding.see(b[:n])
		again, head := t.again(n, err)
		if again {
			continue
		}
		if n > 0 && t.count(b[:n], head) != nil {
			t.core.giveBack()
			t.refuse()
			return 0, io.EOF
		}
		if kept := t.takeHead(b, n); kept > 0 || n == 0 || err != nil {
			return kept, err
		}
	}
	return 0, io.EOF
}

// again notes what a read brought and reports whether to read once more. The time of the final read
// begins here and not where it was asked for: on a busy machine this goroutine may have to wait for
// longer than that. head reports whether the bytes are of a head.
func (t *trackedConn) again(n int, err error) (again, head bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n > 0 {
		t.progress = time.Now()
		if t.final == finalReading && t.extended < maxExtended {
			t.extended++
			t.until = t.progress.Add(finalReadTime)
			t.setDeadlineLocked()
		}
	}
	if n > 0 && !t.received {
		t.received = true
		if t.final != notFinal {
			t.endEvictionLocked()
			t.setDeadlineLocked()
		}
	}
	if n > 0 || t.final != finalAsked || t.begunLocked() ||
		!errors.Is(err, os.ErrDeadlineExceeded) {
		return false, t.state != http.StateActive
	}
	t.final, t.until, t.extended = finalReading, time.Now().Add(finalReadTime), 0
	if first := t.began.Add(t.first); t.state == http.StateNew && first.After(t.until) {
		t.until = first
	}
	t.setDeadlineLocked()
	return true, false
}

// CloseWrite is how net/http ends a connection on which bytes may still be coming.
func (t *trackedConn) CloseWrite() error {
	t.core.giveBack() // net/http goes on in half a second
	if c, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}
