package server

import (
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// simListener is a listener without a network: dial makes a connection, whose other end Accept
// returns.
type simListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	mu     sync.Mutex
	port   uint16
}

func newSimListener() *simListener {
	return &simListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *simListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *simListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *simListener) Addr() net.Addr { return simAddr(80) }

func simAddr(port uint16) net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), port))
}

// dial connects, or fails when nobody listens any more. Of what is read on the server's side, tear
// gives the bytes that come at once.
func (l *simListener) dial(tear func() int) (*simConn, error) {
	l.mu.Lock()
	l.port++
	from := simAddr(1000 + l.port)
	l.mu.Unlock()
	there, back := newSimHalf(), newSimHalf()
	client := &simConn{in: back, out: there, local: from, remote: l.Addr()}
	server := &simConn{in: there, out: back, local: l.Addr(), remote: from, tear: tear}
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, syscall.ECONNREFUSED
	}
}

// simBuffer is what fits between two ends: little, so that who does not read soon stops who writes.
const simBuffer = 8 << 10

// simHalf is one direction of a connection.
type simHalf struct {
	mu      sync.Mutex
	change  *sync.Cond
	bytes   []byte
	ended   bool // nothing more will be written
	unread  bool // nothing more will be read
	reset   bool
	late    [2]bool // the deadline of reading, and of writing, is over
	timers  [2]*time.Timer
	version [2]int // of the deadline, so that a timer that was stopped too late does nothing
}

func newSimHalf() *simHalf {
	h := new(simHalf)
	h.change = sync.NewCond(&h.mu)
	return h
}

func (h *simHalf) set(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
	h.change.Broadcast()
}

func (h *simHalf) deadline(side int, t time.Time) {
	h.set(func() {
		h.version[side]++
		version := h.version[side]
		if h.timers[side] != nil {
			h.timers[side].Stop()
			h.timers[side] = nil
		}
		left := time.Until(t)
		h.late[side] = !t.IsZero() && left <= 0
		if !t.IsZero() && left > 0 {
			h.timers[side] = time.AfterFunc(left, func() {
				h.set(func() { h.late[side] = h.late[side] || h.version[side] == version })
			})
		}
	})
}

func (h *simHalf) read(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.unread:
			return 0, net.ErrClosed
		case h.late[0]:
			return 0, os.ErrDeadlineExceeded
		case h.reset:
			return 0, syscall.ECONNRESET
		case len(h.bytes) > 0:
			n := copy(b, h.bytes)
			h.bytes = h.bytes[n:]
			h.change.Broadcast()
			return n, nil
		case h.ended:
			return 0, io.EOF
		}
		h.change.Wait()
	}
}

func (h *simHalf) write(b []byte) (n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.ended:
			return n, net.ErrClosed
		case h.late[1]:
			return n, os.ErrDeadlineExceeded
		case h.reset, h.unread:
			return n, syscall.ECONNRESET
		}
		room := min(simBuffer-len(h.bytes), len(b))
		h.bytes = append(h.bytes, b[:room]...)
		n, b = n+room, b[room:]
		h.change.Broadcast()
		if len(b) == 0 {
			return n, nil
		}
		h.change.Wait()
	}
}

// simConn is one end of a connection.
type simConn struct {
	in, out       *simHalf
	local, remote net.Addr
	tear          func() int
}

func (c *simConn) Read(b []byte) (int, error) {
	if c.tear != nil && len(b) > 1 {
		b = b[:min(len(b), c.tear())]
	}
	return c.in.read(b)
}

func (c *simConn) Write(b []byte) (int, error) { return c.out.write(b) }

// Close ends both directions; what was written before still arrives.
func (c *simConn) Close() error {
	c.out.set(func() { c.out.ended = true })
	c.in.set(func() { c.in.unread = true })
	c.SetDeadline(time.Time{}) // stops the timers
	return nil
}

func (c *simConn) CloseWrite() error {
	c.out.set(func() { c.out.ended = true })
	return nil
}

// reset ends both directions at once, and what is under way is lost.
func (c *simConn) reset() {
	for _, h := range []*simHalf{c.in, c.out} {
		h.set(func() { h.reset, h.bytes = true, nil })
	}
	c.Close()
}

func (c *simConn) LocalAddr() net.Addr  { return c.local }
func (c *simConn) RemoteAddr() net.Addr { return c.remote }

func (c *simConn) SetDeadline(t time.Time) error {
	c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *simConn) SetReadDeadline(t time.Time) error {
	c.in.deadline(0, t)
	return nil
}

func (c *simConn) SetWriteDeadline(t time.Time) error {
	c.out.deadline(1, t)
	return nil
}
