package fastlane_test

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// memListener is a listener without a network, for what a network makes uncertain: how bytes are
// split, what a reset takes with it, and, in a bubble of testing/synctest, how long things take.
type memListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newMemListener() *memListener {
	return &memListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *memListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *memListener) Addr() net.Addr { return memAddr{} }

type memAddr struct{}

func (memAddr) Network() string { return "mem" }
func (memAddr) String() string  { return "mem" }

// dial connects. What the server writes beyond room bytes that were not read waits; zero means no
// bound.
func (l *memListener) dial(room int) (*memConn, error) {
	up, down := newHalf(0), newHalf(room)
	select {
	case l.conns <- &memConn{r: up, w: down}:
		return &memConn{r: down, w: up}, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// memConn is one end. A Read never spans two Writes, so a test decides how its bytes arrive.
type memConn struct{ r, w *half }

func (c *memConn) Read(b []byte) (int, error)         { return c.r.read(b) }
func (c *memConn) Write(b []byte) (int, error)        { return c.w.write(b) }
func (c *memConn) CloseWrite() error                  { c.w.end(); return nil }
func (c *memConn) LocalAddr() net.Addr                { return memAddr{} }
func (c *memConn) RemoteAddr() net.Addr               { return memAddr{} }
func (c *memConn) SetReadDeadline(t time.Time) error  { c.r.reader.set(c.r, t); return nil }
func (c *memConn) SetWriteDeadline(t time.Time) error { c.w.writer.set(c.w, t); return nil }
func (c *memConn) SetDeadline(t time.Time) error {
	c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *memConn) Close() error {
	c.w.end()
	c.r.abandon()
	return nil
}

// half is one direction.
type half struct {
	mu             sync.Mutex
	changed        *sync.Cond
	chunks         [][]byte
	size, room     int
	ended          bool // no more will be written
	abandoned      bool // nothing more will be read
	reader, writer deadline
}

func newHalf(room int) *half {
	h := &half{room: room}
	h.changed = sync.NewCond(&h.mu)
	return h
}

func (h *half) read(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.abandoned:
			return 0, net.ErrClosed
		case h.reader.passed:
			return 0, os.ErrDeadlineExceeded
		case len(h.chunks) > 0:
			n := copy(b, h.chunks[0])
			if h.chunks[0] = h.chunks[0][n:]; len(h.chunks[0]) == 0 {
				h.chunks = h.chunks[1:]
			}
			h.size -= n
			h.changed.Broadcast()
			return n, nil
		case h.ended:
			return 0, io.EOF
		}
		h.changed.Wait()
	}
}

func (h *half) write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.ended || h.abandoned:
			return 0, net.ErrClosed
		case h.writer.passed:
			return 0, os.ErrDeadlineExceeded
		case h.room == 0 || h.size < h.room:
			if len(b) > 0 {
				h.chunks = append(h.chunks, append([]byte(nil), b...))
				h.size += len(b)
				h.changed.Broadcast()
			}
			return len(b), nil
		}
		h.changed.Wait()
	}
}

func (h *half) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	h.changed.Broadcast()
}

func (h *half) abandon() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.abandoned = true
	h.changed.Broadcast()
}

// deadline is guarded by the mutex of its half.
type deadline struct {
	passed bool
	timer  *time.Timer
}

func (d *deadline) set(h *half, t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.passed = !t.IsZero() && time.Until(t) <= 0
	if !t.IsZero() && !d.passed {
		var timer *time.Timer
		timer = time.AfterFunc(time.Until(t), func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			if d.timer == timer {
				d.passed = true
				h.changed.Broadcast()
			}
		})
		d.timer = timer
	}
	h.changed.Broadcast()
}
