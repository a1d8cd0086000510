// Package memnet is a network in memory for tests. Connections honour deadlines, hold few bytes
// that are not read yet, and can be cut into small reads, delayed and reset. In a bubble of
// testing/synctest, all of that happens in virtual time.
package memnet

import (
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Buffer is how many bytes one direction of a connection holds. It is small, so that a peer that
// does not read soon blocks the peer that writes.
const Buffer = 8 << 10

// Listener accepts the connections that Dial makes.
type Listener struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
	dialed atomic.Uint32
}

// Listen returns an open listener.
func Listen() *Listener {
	l := &Listener{conns: make(chan net.Conn), closed: make(chan struct{})}
	l.close = sync.OnceFunc(func() { close(l.closed) })
	return l
}

// Accept waits for the server's end of the next connection.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close makes Accept and Dial fail. Open connections stay open.
func (l *Listener) Close() error {
	l.close()
	return nil
}

// Addr returns an address of the block that is reserved for documentation.
func (l *Listener) Addr() net.Addr { return addr(80) }

func addr(port uint16) net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), port))
}

// Dial waits until the listener accepts, and returns the client's end. If cut is not nil, each Read
// of the server calls it first and returns at most as many bytes as it says, at least one. cut may
// sleep to delay them.
func (l *Listener) Dial(cut func() int) (*Conn, error) {
	from := addr(1000 + uint16(l.dialed.Add(1)))
	up, down := newHalf(), newHalf()
	select {
	case l.conns <- &Conn{in: up, out: down, local: l.Addr(), remote: from, cut: cut}:
		return &Conn{in: down, out: up, local: from, remote: l.Addr()}, nil
	case <-l.closed:
		return nil, syscall.ECONNREFUSED
	}
}

// Conn is one end of a connection.
type Conn struct {
	in, out       *half
	local, remote net.Addr
	cut           func() int
}

func (c *Conn) Read(b []byte) (int, error) {
	if c.cut != nil && len(b) > 1 {
		b = b[:min(len(b), c.cut())]
	}
	return c.in.read(b)
}

func (c *Conn) Write(b []byte) (int, error) { return c.out.write(b) }

// CloseWrite ends what this end sends. The peer reads the rest, then io.EOF.
func (c *Conn) CloseWrite() error {
	c.out.update(func() { c.out.ended = true })
	return nil
}

// Close ends both directions. Bytes that were written before still arrive.
func (c *Conn) Close() error {
	c.CloseWrite()
	c.in.update(func() { c.in.abandoned = true })
	return c.SetDeadline(time.Time{}) // stops the timers
}

// Reset closes the connection and drops the bytes under way. The peer gets ECONNRESET.
func (c *Conn) Reset() {
	for _, h := range []*half{c.in, c.out} {
		h.update(func() { h.reset, h.data = true, nil })
	}
	c.Close()
}

func (c *Conn) LocalAddr() net.Addr  { return c.local }
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

func (c *Conn) SetDeadline(t time.Time) error {
	c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.reading, t)
	return nil
}

func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(&c.out.writing, t)
	return nil
}

// half is one direction of a connection. Its mutex guards all fields.
type half struct {
	mu               sync.Mutex
	changed          *sync.Cond
	data             []byte
	ended            bool // the writer has closed
	abandoned        bool // the reader has closed
	reset            bool
	reading, writing deadline
}

type deadline struct {
	passed bool
	timer  *time.Timer
}

func newHalf() *half {
	h := new(half)
	h.changed = sync.NewCond(&h.mu)
	return h
}

func (h *half) update(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
	h.changed.Broadcast()
}

func (h *half) setDeadline(d *deadline, t time.Time) {
	h.update(func() {
		if d.timer != nil {
			d.timer.Stop()
			d.timer = nil
		}
		left := time.Until(t)
		if d.passed = !t.IsZero() && left <= 0; d.passed || t.IsZero() {
			return
		}
		var timer *time.Timer
		timer = time.AfterFunc(left, func() {
			// A timer that fires while it is being replaced must not count.
			h.update(func() { d.passed = d.passed || d.timer == timer })
		})
		d.timer = timer
	})
}

func (h *half) read(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.abandoned:
			return 0, net.ErrClosed
		case h.reading.passed:
			return 0, os.ErrDeadlineExceeded
		case h.reset:
			return 0, syscall.ECONNRESET
		case len(h.data) > 0:
			n := copy(b, h.data)
			h.data = h.data[n:]
			h.changed.Broadcast()
			return n, nil
		case h.ended:
			return 0, io.EOF
		}
		h.changed.Wait()
	}
}

func (h *half) write(b []byte) (n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.ended:
			return n, net.ErrClosed
		case h.writing.passed:
			return n, os.ErrDeadlineExceeded
		case h.reset, h.abandoned:
			return n, syscall.ECONNRESET
		}
		free := min(Buffer-len(h.data), len(b))
		h.data = append(h.data, b[:free]...)
		n, b = n+free, b[free:]
		h.changed.Broadcast()
		if len(b) == 0 {
			return n, nil
		}
		h.changed.Wait()
	}
}

// Buffered is how many bytes have come and are not read.
func (c *Conn) Buffered() int {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	return len(c.in.data)
}
