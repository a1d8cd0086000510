package fastlane

import (
	"bytes"
	"net"
	"time"
)

// stream is a connection's bytes in both directions. Its goroutine alone touches it, but for nc.
type stream struct {
	lane *Lane
	nc   net.Conn
	raw  raw // reads and writes by other means, where the system has them

	work     *work  // nil while nothing is unread and nothing to be written
	from, to int    // work.in[from:to] is unread
	small    []byte // what is read into while there is no work; nil with raw

	readBy  time.Duration // the deadline that is set for reading; 0 is none
	writeBy time.Duration // likewise for writing
}

// unknown is a deadline that was set by another hand.
const unknown time.Duration = -1

// work is what a connection needs only while it is in a request. An idle one has none, so that ten
// thousand of them cost little more than their goroutines.
type work struct {
	in    [MaxRequest]byte
	out   []byte
	field [128]byte // for Answer.Field
	asked parts     // of the request being answered
	memo  memo
}

const (
	// maxOut bounds the replies that are collected before they are written: five of five days. What
	// a client does not read stays here until its time is over, so it is also what ten thousand of
	// those can make the lane hold.
	maxOut = 4 << 10

	// keepOut bounds the buffers that are kept: maxOut and the longest reply.
	keepOut = 16 << 10
)

func (s *stream) open(l *Lane, nc net.Conn) {
	s.lane, s.nc = l, nc
	if !s.raw.open(nc) {
		s.small = make([]byte, 512) // a plain request has no more, so one read will do
	}
}

// begin takes what a request needs.
func (s *stream) begin() {
	if s.work == nil {
		s.work = s.lane.works.Get().(*work)
	}
}

// rest gives it back, with all that is in it.
func (s *stream) rest() {
	if s.work == nil {
		return
	}
	s.work.out = s.work.out[:0]
	if cap(s.work.out) > keepOut {
		s.work.out = nil
	}
	s.lane.works.Put(s.work)
	s.work, s.from, s.to = nil, 0, 0
}

func (s *stream) unread() []byte {
	if s.work == nil {
		return nil
	}
	return s.work.in[s.from:s.to]
}

func (s *stream) skip(n int) { s.from += n }

// space is where the next bytes go: behind those unread, which are moved to the front. It is never
// empty, because MaxRequest unread bytes are handed over.
func (s *stream) space() []byte {
	w := s.work
	s.to, s.from = copy(w.in[:], w.in[s.from:s.to]), 0
	return w.in[s.to:]
}

// read waits for bytes and adds them to those unread, or gives an error.
func (s *stream) read() error {
	if len(s.unread()) == 0 {
		s.rest()
		n, err := s.nc.Read(s.small)
		if n == 0 {
			return err
		}
		s.begin()
		s.to = copy(s.work.in[:], s.small[:n])
		return nil
	}
	n, err := s.nc.Read(s.space())
	s.to += n
	if n > 0 {
		return nil // an error comes again
	}
	return err
}

// flush writes what is to be written. On an error the connection is of no more use.
func (s *stream) flush() error {
	if s.work == nil || len(s.work.out) == 0 {
		return nil
	}
	out := s.work.out
	s.work.out = out[:0]
	if s.raw.usable() {
		n, err := s.raw.write(out)
		if n == len(out) || err != nil {
			return err
		}
		// The client does not read as fast as it asks. Nothing waits with it but the bytes
		// themselves.
		out = bytes.Clone(out[n:])
		unread := bytes.Clone(s.unread())
		s.rest()
		if len(unread) > 0 {
			defer func() {
				s.begin()
				s.to = copy(s.work.in[:], unread)
			}()
		}
	}
	if t := s.lane.writeTimeout; t > 0 {
		if by := s.lane.now() + t; s.writeBy < by {
			s.writeBy = by + slack
			s.nc.SetWriteDeadline(s.lane.epoch.Add(s.writeBy))
		}
	}
	_, err := s.nc.Write(out)
	return err
}
