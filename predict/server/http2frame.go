package server

import (
	"encoding/binary"
	"iter"
)

// A frameScanner finds the frames of HTTP/2 in bytes that come in pieces.
type frameScanner struct {
	left int // bytes that the payload of the present frame still has
	head [frameHead]byte
	n    int // bytes in head of a frame whose head is not complete
}

const frameHead = 9

// The types of the frames that matter here, and flags: END_STREAM of the first two, ACK of PING.
const (
	frameData     = 0
	frameHeaders  = 1
	frameReset    = 3
	frameSettings = 4
	framePing     = 6
	frameGoAway   = 7

	frameContinuation = 9

	endStream = 1
	pong      = 1
)

// A frame is one whose head ends in the bytes that were given.
type frame struct {
	kind, flags byte
	size        int // of its payload
	stream      uint32
	bytes       []byte // the whole frame if it is in those bytes, or else nil
	end         int    // of bytes in those
}

// frames takes the next bytes and yields the frames in them. The loop must not end early.
func (s *frameScanner) frames(b []byte) iter.Seq[frame] {
	return func(yield func(frame) bool) {
		for at := 0; at < len(b); {
			if s.left > 0 {
				skip := min(s.left, len(b)-at)
				s.left -= skip
				at += skip
				continue
			}
			n := copy(s.head[s.n:], b[at:])
			s.n += n
			at += n
			if s.n < frameHead {
				return
			}
			s.n = 0
			s.left = int(binary.BigEndian.Uint32(s.head[:]) >> 8)
			f := frame{kind: s.head[3], flags: s.head[4], size: s.left,
				stream: binary.BigEndian.Uint32(s.head[5:]) & (1<<31 - 1)}
			if begin := at - frameHead; begin >= 0 && s.left <= len(b)-at {
				at += s.left
				s.left = 0
				f.bytes, f.end = b[begin:at], at
			}
			if !yield(f) {
				return
			}
		}
	}
}

// between reports whether no frame is under way.
func (s *frameScanner) between() bool { return s.left == 0 && s.n == 0 }

// isGoAway reports whether f is a complete GOAWAY without an error.
func (f frame) isGoAway() bool {
	return f.kind == frameGoAway && len(f.bytes) >= frameHead+8 &&
		binary.BigEndian.Uint32(f.bytes[frameHead+4:]) == 0
}

// pingFrame is a PING. net/http sends none.
const pingFrame = "\x00\x00\x08\x06\x00\x00\x00\x00\x00drained?"

// isPong reports whether f answers a PING.
func (f frame) isPong() bool { return f.kind == framePing && f.flags&pong != 0 }

// carries returns how many bytes of a head or a body are in f.
func (f frame) carries() int {
	switch f.kind {
	case frameData, frameHeaders, frameContinuation:
		return f.size
	}
	return 0
}

// isAnswered reports whether net/http writes a frame of its own for f.
func (f frame) isAnswered() bool { return f.kind == framePing || f.kind == frameSettings }

// lastStream returns the last stream that is not refused by a GOAWAY.
func (f frame) lastStream() uint32 {
	return binary.BigEndian.Uint32(f.bytes[frameHead:]) & (1<<31 - 1)
}

// endsRequest reports whether f ends a request, complete or not.
func (f frame) endsRequest() bool {
	return f.kind <= frameHeaders && f.flags&endStream != 0 || f.kind == frameReset
}
