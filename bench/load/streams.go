package load

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// HTTP/2 as far as a load needs it: requests in several streams of a connection, each sent once the
// answer before it in its place is complete. Field names that repeat go to the table of HPACK, as
// with any client; of an answer only the status and the end are read. Bodies must be short, since
// the windows of the server are not counted.

const (
	frameData     = 0
	frameHeaders  = 1
	frameReset    = 3
	frameSettings = 4
	framePing     = 6
	frameGoAway   = 7
	frameWindow   = 8

	flagEnd        = 1 // END_STREAM; of SETTINGS and PING: ACK
	flagEndHeaders = 4
	flagPadded     = 8
	flagPriority   = 32

	frameHead   = 9
	largestBody = 16 << 10 // of a frame
	window      = 1 << 30  // of the connection, for answers
)

var errReset = errors.New("load: the server ended a stream")

// staticStatus is the status by its index in the static table of HPACK.
var staticStatus = map[byte]int{8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500}

// streams is the HTTP/2 state of a conn.
type streams struct {
	out      []byte // frames to be sent
	in       []byte // bytes received; those from at on are not read yet
	at       int
	last     uint32         // id of the last stream
	credit   int            // bytes of answers that the connection's window still allows
	inserted map[string]int // fields in the table of HPACK, by name and value: their number
	open     map[uint32]*exchange
}

// exchange is a stream that waits for its answer.
type exchange struct {
	due    time.Duration
	status int
}

func newStreams() *streams {
	s := &streams{inserted: map[string]int{}, open: map[uint32]*exchange{}, credit: window}
	s.out = append(s.out, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"...)
	s.frame(frameSettings, 0, 0, []byte{0, 2, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff})
	s.allow(window - 65535)
	return s
}

func (s *streams) frame(kind, flags byte, id uint32, payload []byte) {
	n := len(payload)
	s.out = append(s.out, byte(n>>16), byte(n>>8), byte(n), kind, flags)
	s.out = binary.BigEndian.AppendUint32(s.out, id)
	s.out = append(s.out, payload...)
}

// allow lets the server send n more bytes on the connection.
func (s *streams) allow(n int) {
	s.frame(frameWindow, 0, 0, binary.BigEndian.AppendUint32(nil, uint32(n)))
}

// request appends the frames of a request that is given in the form of HTTP/1.1.
func (s *streams) request(request []byte, due time.Duration) error {
	head, body, ok := bytes.Cut(request, []byte("\r\n\r\n"))
	line, fields, _ := bytes.Cut(head, []byte("\r\n"))
	words := bytes.Fields(line)
	if !ok || len(words) != 3 || len(body) > largestBody {
		return fmt.Errorf("%w: no request for HTTP/2: %.60q", errMalformed, request)
	}
	s.last += 2
	if s.last == 2 {
		s.last = 1
	}
	s.open[s.last] = &exchange{due: due}
	flags := byte(flagEndHeaders)
	if len(body) == 0 {
		flags |= flagEnd
	}
	start := len(s.out)
	s.frame(frameHeaders, flags, s.last, nil)
	if string(words[0]) == "GET" {
		s.out = append(s.out, 0x82)
	} else {
		s.out = append(s.out, 0x83) // POST
	}
	s.out = append(s.out, 0x87) // https
	s.literal(4, "", words[1])  // :path
	for field := range bytes.SplitSeq(fields, []byte("\r\n")) {
		name, value, _ := bytes.Cut(field, []byte(": "))
		switch lower := string(bytes.ToLower(name)); lower {
		case "host":
			s.indexed(":authority", value)
		case "content-length":
			s.literal(0, lower, value)
		default:
			s.indexed(lower, value)
		}
	}
	n := len(s.out) - start - frameHead
	s.out[start], s.out[start+1], s.out[start+2] = byte(n>>16), byte(n>>8), byte(n)
	if len(body) > 0 {
		s.frame(frameData, flagEnd, s.last, body)
	}
	return nil
}

// literal appends a field that the table does not keep. Its name is one of the static table by
// index, or is written out.
func (s *streams) literal(index byte, name string, value []byte) {
	s.out = append(s.out, index)
	if index == 0 {
		s.text(name)
	}
	s.text(string(value))
}

// indexed appends a field that the table keeps.
func (s *streams) indexed(name string, value []byte) {
	key := name + "\x00" + string(value)
	if n, ok := s.inserted[key]; ok {
		const static = 61
		s.out = append(s.out, 0x80|byte(static+len(s.inserted)-n))
		return
	}
	s.inserted[key] = len(s.inserted)
	s.out = append(s.out, 0x40)
	s.text(name)
	s.text(string(value))
}

// text appends a string without compression. Those of 127 bytes and more have a longer prefix.
func (s *streams) text(t string) {
	n := len(t)
	if n < 127 {
		s.out = append(s.out, byte(n))
	} else {
		s.out = append(s.out, 127)
		for n -= 127; n >= 128; n >>= 7 {
			s.out = append(s.out, byte(n)|128)
		}
		s.out = append(s.out, byte(n))
	}
	s.out = append(s.out, t...)
}

// next returns the next frame that is here completely, or ok false.
func (s *streams) next() (kind, flags byte, id uint32, payload []byte, ok bool) {
	b := s.in[s.at:]
	if len(b) < frameHead {
		return 0, 0, 0, nil, false
	}
	n := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
	if len(b) < frameHead+n {
		return 0, 0, 0, nil, false
	}
	s.at += frameHead + n
	return b[3], b[4], binary.BigEndian.Uint32(b[5:]) & (1<<31 - 1), b[frameHead : frameHead+n],
		true
}

// receive reads once from the connection, answers what concerns it as a whole, and calls done for
// each complete answer.
func (s *streams) receive(c *conn, done func(*exchange)) error {
	s.in = append(s.in[:0], s.in[s.at:]...)
	s.at = 0
	if cap(s.in)-len(s.in) < 2*largestBody {
		s.in = append(make([]byte, 0, len(s.in)+4*largestBody), s.in...)
	}
	n, err := c.c.Read(s.in[len(s.in):cap(s.in)])
	s.in = s.in[:len(s.in)+n]
	c.read += int64(n)
	if n == 0 && err != nil {
		if err == io.EOF {
			err = errTruncated
		}
		return err
	}
	for {
		kind, flags, id, payload, ok := s.next()
		if !ok {
			return nil
		}
		e := s.open[id]
		switch {
		case kind == frameGoAway || kind == frameReset && e != nil:
			// A reset after the answer only says that the server wants no more of the request.
			return fmt.Errorf("%w: frame of type %d: %x", errReset, kind, payload)
		case kind == frameSettings && flags&flagEnd == 0:
			s.frame(frameSettings, flagEnd, 0, nil)
		case kind == framePing && flags&flagEnd == 0:
			s.frame(framePing, flagEnd, 0, payload)
		case kind == frameData:
			if s.credit -= len(payload); s.credit < window/2 {
				s.allow(window - s.credit)
				s.credit = window
			}
		case kind == frameHeaders && e != nil && e.status == 0:
			if e.status = statusOf(flags, payload); e.status == 0 {
				return fmt.Errorf("%w: header block %x", errMalformed, payload)
			}
		}
		if e != nil && flags&flagEnd != 0 && (kind == frameData || kind == frameHeaders) {
			delete(s.open, id)
			done(e)
		}
	}
}

// statusOf returns the status at the start of a header block, or 0. Servers send those of the
// static table as an index, and others with three digits; the latter have status 599 here.
func statusOf(flags byte, block []byte) int {
	if flags&flagPadded != 0 && len(block) > 0 {
		block = block[1:]
	}
	if flags&flagPriority != 0 && len(block) > 5 {
		block = block[5:]
	}
	for len(block) > 0 && block[0]&0xe0 == 0x20 { // the size of the table
		more := block[0] == 0x3f
		for block = block[1:]; more && len(block) > 0; block = block[1:] {
			more = block[0]&0x80 != 0
		}
	}
	if len(block) == 0 {
		return 0
	}
	if status := staticStatus[block[0]&0x7f]; status > 0 && block[0]&0x80 != 0 {
		return status
	}
	return 599
}

// workStreams is work for a connection with streams.
func (r *run) workStreams(ctx context.Context, c *conn, request func() []byte,
	next func() (time.Duration, bool)) {
	s := c.streams
	more := true
	send := func() error {
		for more && len(s.open) < r.cfg.Streams {
			var due time.Duration
			if due, more = next(); more {
				if err := s.request(request(), due); err != nil {
					return err
				}
			}
		}
		if len(s.out) == 0 {
			return nil
		}
		if err := c.c.SetDeadline(time.Now().Add(r.cfg.Timeout)); err != nil {
			return err
		}
		_, err := c.c.Write(s.out)
		s.out = s.out[:0]
		return err
	}
	err := send()
	for err == nil && len(s.open) > 0 && ctx.Err() == nil {
		before := c.read
		err = s.receive(c, func(e *exchange) {
			took := r.now() - e.due
			r.update(func(res *Result) {
				res.Latency.Record(took)
				res.Service.Record(took)
				res.count(e.status, took, took, r.cfg.Timeout)
			})
		})
		r.update(func(res *Result) { res.BytesRead += c.read - before })
		if err == nil {
			err = send()
		}
	}
	if err != nil {
		r.update(func(res *Result) { res.Errors[errorName(err)] += int64(max(1, len(s.open))) })
	}
}
