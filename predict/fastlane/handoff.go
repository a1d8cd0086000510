package fastlane

import (
	"bytes"
	"net"
	"sync/atomic"
	"time"
)

// handOver gives the connection to net/http, which has all deadlines from now on.
func (c *conn) handOver() {
	l := c.lane
	l.mu.Lock()
	c.busy = true
	l.mu.Unlock()
	c.socket.writes = false
	c.nc.SetDeadline(time.Time{})
	nc := c.nc
	if !c.foreign {
		h := &handoffConn{Conn: nc, socket: c.socket, lane: l, unread: bytes.Clone(c.unread()),
			blanks: c.blanks, expires: c.expires}
		if len(h.unread) > 0 {
			h.elapsed.Store(int64(l.now() - c.began))
		}
		nc = h
	}
	select {
	case l.handoffs <- nc:
		l.handedOver.Add(1)
	case <-l.closed:
		nc.Close()
	}
}

// handoffConn is a connection of net/http. Read first returns the bytes that the lane had read.
type handoffConn struct {
	net.Conn
	socket *socket
	lane   *Lane
	unread []byte
	blanks int // bytes of blank lines that net/http is not to see

	expires time.Duration // as of conn

	// elapsed is how long the current request had been going on when it was handed over. It is
	// subtracted from the deadlines that net/http sets to read it, which it does before it writes.
	elapsed atomic.Int64
}

func (h *handoffConn) Read(b []byte) (int, error) {
	if len(h.unread) > 0 {
		n := copy(b, h.unread)
		if h.unread = h.unread[n:]; len(h.unread) == 0 {
			h.unread = nil // frees the memory
		}
		return n, nil
	}
	for {
		n, err := h.Conn.Read(b)
		if h.blanks == 0 || n == 0 {
			return n, err
		}
		if n = copy(b, b[leadingBlanks(b[:n], &h.blanks):n]); n > 0 || err != nil {
			return n, err
		}
	}
}

func (h *handoffConn) Write(b []byte) (int, error) {
	h.elapsed.Store(0)
	return h.Conn.Write(b)
}

func (h *handoffConn) SetReadDeadline(t time.Time) error {
	if elapsed := h.elapsed.Load(); elapsed > 0 && time.Until(t) > 0 {
		t = t.Add(-time.Duration(elapsed))
	}
	return h.Conn.SetReadDeadline(t)
}

// Expired reports whether the connection is older than Config.MaxAge lets it be.
func (h *handoffConn) Expired() bool { return h.expires > 0 && h.lane.now() >= h.expires }

// NetConn returns the connection below TLS, as that of tls.Conn does.
func (h *handoffConn) NetConn() net.Conn { return h.socket }

// CloseWrite lets net/http end a connection on which bytes may still arrive.
func (h *handoffConn) CloseWrite() error { return closeWrite(h.Conn) }
