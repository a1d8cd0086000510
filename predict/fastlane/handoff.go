package fastlane

import (
	"net"
	"sync/atomic"
	"time"
)

// handed is a connection that is net/http's now: first come the bytes that the lane had read, then
// the rest.
type handed struct {
	net.Conn
	lane   *Lane
	unread []byte
	closed atomic.Bool

	// spent is what the lane has used up of the time for the first request: it is taken off the
	// deadlines that net/http sets for reading it, which it does before it first writes.
	spent atomic.Int64
}

func (h *handed) Read(b []byte) (int, error) {
	if len(h.unread) > 0 {
		n := copy(b, h.unread)
		h.unread = h.unread[n:]
		if len(h.unread) == 0 {
			h.unread = nil
		}
		return n, nil
	}
	return h.Conn.Read(b)
}

func (h *handed) Write(b []byte) (int, error) {
	if h.spent.Load() != 0 {
		h.spent.Store(0)
	}
	return h.Conn.Write(b)
}

func (h *handed) SetReadDeadline(t time.Time) error {
	if spent := h.spent.Load(); spent > 0 && time.Until(t) > 0 {
		t = t.Add(-time.Duration(spent))
	}
	return h.Conn.SetReadDeadline(t)
}

// Close closes the connection and, once, makes room for another.
func (h *handed) Close() error {
	if !h.closed.Swap(true) {
		h.lane.counts.open.Add(-1)
	}
	return h.Conn.Close()
}

// CloseWrite is asked for by net/http to end a connection on which bytes may still be coming.
func (h *handed) CloseWrite() error {
	if c, ok := h.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}
