package bench

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"tickercast/bench/load"
)

// memConn is a connection in memory on which n requests wait. A Read returns at most what is left
// of one request; the connection ends once all are answered. Measured over it, a server costs what
// it does itself: there is no kernel and no client.
type memConn struct {
	unread   int // requests
	want     int // answers
	next     func() []byte
	rest     []byte
	reads    int // each a system call on a real connection, like the writes
	writes   int
	answers  int
	left     int    // bytes of an answer that are still to be written
	bad      []byte // the first answer that was not a 200 with a length
	answered chan struct{}
	closed   chan struct{}
}

func newMemConn(n int, next func() []byte) *memConn {
	return &memConn{unread: n, want: n, next: next, answered: make(chan struct{}),
		closed: make(chan struct{})}
}

func (c *memConn) Read(p []byte) (int, error) {
	c.reads++
	if len(c.rest) == 0 {
		if c.unread == 0 {
			// An earlier EOF would look to net/http as if the client had left.
			select {
			case <-c.answered:
			case <-c.closed:
			}
			return 0, io.EOF
		}
		c.unread--
		c.rest = c.next()
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *memConn) Write(p []byte) (int, error) {
	c.writes++
	body := p
	if c.left == 0 {
		head := bytes.Index(p, []byte("\r\n\r\n"))
		_, field, ok := bytes.Cut(p[:max(head, 0)], []byte("Content-Length: "))
		if !bytes.HasPrefix(p, []byte("HTTP/1.1 200 OK\r\n")) || !ok {
			if c.bad == nil {
				c.bad = bytes.Clone(p)
			}
			field = nil
		}
		for _, digit := range field {
			if digit < '0' || digit > '9' {
				break
			}
			c.left = c.left*10 + int(digit-'0')
		}
		body = p[head+4:]
	}
	if c.left -= min(c.left, len(body)); c.left == 0 {
		if c.answers++; c.answers == c.want {
			close(c.answered)
		}
	}
	return len(p), nil
}

func (c *memConn) Close() error {
	select {
	case <-c.closed:
	default:
		close(c.closed)
	}
	return nil
}

func (c *memConn) LocalAddr() net.Addr              { return loopback }
func (c *memConn) RemoteAddr() net.Addr             { return loopback }
func (c *memConn) SetDeadline(time.Time) error      { return nil }
func (c *memConn) SetReadDeadline(time.Time) error  { return nil }
func (c *memConn) SetWriteDeadline(time.Time) error { return nil }

var loopback = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}

// oneConn is a listener that accepts one connection and ends once that is closed.
type oneConn struct {
	conn     *memConn
	accepted bool
}

func (l *oneConn) Accept() (net.Conn, error) {
	if !l.accepted {
		l.accepted = true
		return l.conn, nil
	}
	<-l.conn.closed
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return loopback }

// exchange has a server answer n requests on one memConn, and returns the CPU time and the calls on
// the connection that it took.
func exchange(tb testing.TB, serve func(net.Listener), n int,
	next func() []byte) (cpu time.Duration, calls int) {
	tb.Helper()
	c := newMemConn(n, next)
	began := load.ProcessCPU()
	serve(&oneConn{conn: c})
	cpu = load.ProcessCPU() - began
	if c.answers != n || c.bad != nil {
		tb.Fatalf("%d answers to %d requests; the first that is no 200: %q", c.answers, n, c.bad)
	}
	return cpu, c.reads + c.writes
}
