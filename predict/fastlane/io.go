package fastlane

import (
	"bytes"
	"net"
	"sync/atomic"
	"time"
)

// socket is the system's end of a connection, below TLS if there is any.
type socket struct {
	net.Conn
	lane   *Lane
	raw    raw // a faster way to read and write, on systems that have one
	closed atomic.Bool

	arrived func()        // is called when bytes of a handshake are there
	writes  bool          // the lane sets the write deadlines
	writeBy time.Duration // the one that is set; 0 means none
}

func (s *socket) Read(b []byte) (int, error) {
	if s.raw.ready() {
		return s.raw.read(b)
	}
	n, err := s.Conn.Read(b)
	if n > 0 && s.arrived != nil {
		s.arrived()
	}
	return n, err
}

func (s *socket) Write(b []byte) (n int, err error) {
	if s.raw.ready() {
		if n, err = s.raw.write(b); n == len(b) || err != nil {
			return n, err
		}
	}
	if t := s.lane.writeTimeout; t > 0 && s.writes {
		if by := s.lane.now() + t; s.writeBy < by {
			s.writeBy = by + slack
			s.SetWriteDeadline(s.lane.epoch.Add(s.writeBy))
		}
	}
	m, err := s.Conn.Write(b[n:])
	return n + m, err
}

// Close closes the connection and, the first time, makes room for another.
func (s *socket) Close() error {
	err := s.Conn.Close()
	if !s.closed.Swap(true) {
		s.lane.open.Add(-1)
		s.lane.signalRoom()
	}
	return err
}

// CloseWrite lets net/http end a connection on which bytes may still arrive.
func (s *socket) CloseWrite() error { return closeWrite(s.Conn) }

func closeWrite(nc net.Conn) error {
	if c, ok := nc.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

// stream is the bytes of a connection in both directions.
type stream struct {
	lane   *Lane
	socket *socket
	nc     net.Conn // the socket, or TLS over it

	buffers  *buffers // nil while nothing is unread and nothing is to be written
	from, to int      // buffers.in[from:to] is unread
	small    []byte   // what read uses while there are no buffers; nil with raw

	// What evict needs to know, set before each wait: when the last answer was made, or else the
	// connection; and when the last bytes of an incomplete request came, or less than 0 when an
	// answer could not be written at once, or else 0.
	idleSince, progress atomic.Int64

	readBy time.Duration // the read deadline that is set; 0 means none
}

// unknown is a deadline that another goroutine has set.
const unknown time.Duration = -1

// buffers are what a connection needs only during a request. Idle connections have none, so that
// ten thousand of them cost little more than their goroutines.
type buffers struct {
	in      [MaxRequest]byte
	out     []byte
	request Request // the one being answered
	cache   headCache
}

const (
	// maxOut bounds the replies that are collected for one write. A client that does not read makes
	// the lane hold as much until the write times out, so it also bounds what many such clients
	// cost.
	maxOut = 4 << 10

	// keepOut is the largest buffer that goes back to the pool: maxOut and the longest reply that
	// is common.
	keepOut = 16 << 10
)

func (s *stream) open(l *Lane, nc net.Conn) {
	s.lane, s.socket = l, &socket{Conn: nc, lane: l}
	s.nc = s.socket
	if !s.socket.raw.open(nc, l.cfg.TLS != nil) {
		s.small = make([]byte, 512) // a typical request fits
	}
}

func (s *stream) acquire() {
	if s.buffers == nil {
		s.buffers = s.lane.pool.Get().(*buffers)
	}
}

// release gives the buffers back. Unread bytes are lost.
func (s *stream) release() {
	b := s.buffers
	if b == nil {
		return
	}
	b.request.conn = nil
	b.out = b.out[:0]
	if cap(b.out) > keepOut {
		b.out = nil
	}
	s.lane.pool.Put(b)
	s.buffers, s.from, s.to = nil, 0, 0
}

func (s *stream) unread() []byte {
	if s.buffers == nil {
		return nil
	}
	return s.buffers.in[s.from:s.to]
}

func (s *stream) skip(n int) { s.from += n }

// writable moves the unread bytes to the front and returns the space behind them. There always is
// some, because a connection with MaxRequest unread bytes is handed over.
func (s *stream) writable() []byte {
	b := s.buffers
	s.to, s.from = copy(b.in[:], b.in[s.from:s.to]), 0
	return b.in[s.to:]
}

// read waits for bytes and adds them to the unread ones.
func (s *stream) read() error {
	if len(s.unread()) == 0 {
		s.release()
		n, err := s.nc.Read(s.small)
		if n == 0 {
			return err
		}
		s.acquire()
		s.to = copy(s.buffers.in[:], s.small[:n])
		return nil
	}
	n, err := s.nc.Read(s.writable())
	s.to += n
	if n > 0 {
		return nil // the next read returns the error again
	}
	return err
}

// flush writes the collected replies. After an error the connection must be closed.
func (s *stream) flush() error {
	if s.buffers == nil || len(s.buffers.out) == 0 {
		return nil
	}
	out := s.buffers.out
	s.buffers.out = out[:0]
	if s.nc == s.socket && s.socket.raw.ready() {
		n, err := s.socket.raw.write(out)
		if n == len(out) || err != nil {
			return err
		}
		// The client reads more slowly than it asks. While the lane waits for it, it keeps only the
		// bytes themselves.
		out = bytes.Clone(out[n:])
		unread := bytes.Clone(s.unread())
		s.release()
		if len(unread) > 0 {
			defer func() {
				s.acquire()
				s.to = copy(s.buffers.in[:], unread)
			}()
		}
	}
	s.progress.Store(-int64(s.lane.now())) // the client may take its time
	_, err := s.nc.Write(out)
	if err != nil {
		s.nc = s.socket // TLS would try for five more seconds to say goodbye
	}
	return err
}
