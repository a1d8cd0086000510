package fastlane

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
)

// verdict says what the unread bytes are.
type verdict int

const (
	needMore    verdict = iota // the start of a request, with incomplete headers
	needBody                   // complete headers, incomplete body
	plain                      // a whole request that the lane can answer
	unsupported                // anything else
)

// grammar describes the requests that the package documentation lists.
type grammar struct {
	line                string // the request line with its CRLF
	maxFields           int    // 0: any number
	validID, validTrace func([]byte) bool
}

// maxName bounds the length of a header name. Access-Control-Request-Headers, one of the longest
// in use, has 30 bytes.
const maxName = 64

// span is the part [from:to] of a request; to is 0 when there is none. No request is longer than
// MaxRequest, so 16 bits are enough.
type span struct{ from, to uint16 }

func (s span) of(b []byte) []byte { return b[s.from:s.to:s.to] }

// trim leaves out spaces at both ends. Tabs never get here, because they are not visible bytes.
func (s span) trim(b []byte) span {
	for s.from < s.to && b[s.from] == ' ' {
		s.from++
	}
	for s.from < s.to && b[s.to-1] == ' ' {
		s.to--
	}
	return s
}

// headers locates the header values that the lane needs later.
type headers [numHeaders]span

// Indices of headers. Values of the first three may be any visible bytes.
const (
	authorization = iota
	apiKey
	forwardedFor
	contentLength
	contentType
	host
	requestID
	traceparent
	numHeaders

	numHoles = contentType // in a headCache
)

// once stores where a header's value is. It reports false if the request has that header twice.
func (h *headers) once(which int, at span) bool {
	if h[which].to > 0 {
		return false
	}
	h[which] = at
	return true
}

// scan examines the front of b and sets the parts of r that it finds. It judges each line as soon
// as the line is complete, so a request that is not the lane's is handed over early.
func (g *grammar) scan(b []byte, r *Request) verdict {
	i := min(len(b), len(g.line))
	if string(b[:i]) != g.line[:i] {
		return unsupported
	}
	var found headers
	var lower [maxName]byte // the name in lower case
	for fields := 1; ; fields++ {
		start := i
		for i < len(b) && tokens[b[i]] != 0 {
			if n := i - start; n < maxName {
				lower[n] = tokens[b[i]]
			}
			i++
		}
		n := i - start
		switch {
		case i == len(b):
			return needMore
		case n == 0:
			return found.end(b, i, r)
		case b[i] != ':' || g.maxFields > 0 && fields > g.maxFields:
			return unsupported
		}
		from := i + 1
		to := from + visible(b[from:])
		if to == len(b) || b[to] == '\r' && to+1 == len(b) {
			return needMore
		}
		if b[to] != '\r' || b[to+1] != '\n' || n > maxName ||
			!g.header(&found, lower[:n], b, span{uint16(from), uint16(to)}) {
			return unsupported
		}
		i = to + 2
	}
}

// end finds the body behind the empty line at b[i:].
func (h *headers) end(b []byte, i int, r *Request) verdict {
	switch {
	case b[i] != '\r':
		return unsupported
	case i+1 == len(b):
		return needMore
	case b[i+1] != '\n' || h[host].to == 0 || h[contentType].to == 0 || h[contentLength].to == 0:
		return unsupported
	}
	head := i + 2
	size := head + digits(h[contentLength].of(b))
	switch {
	case size > MaxRequest:
		return unsupported
	case size > len(b):
		return needBody
	}
	r.set(b, head, size, h)
	return plain
}

// visible returns the number of bytes at the front of b that are 0x20 to 0x7E. Header values are
// two thirds of a typical request's headers, so it checks eight bytes at a time.
func visible(b []byte) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		del := x ^ 0x7F*ones
		// The high bit of a byte is set if the byte is below 0x20, is 0x7F, or has its high bit
		// set. Borrows only move up, so the lowest bit that is set is right.
		if m := ((x-0x20*ones)&^x | (del-ones)&^del | x) & highs; m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for i < len(b) && b[i] >= 0x20 && b[i] < 0x7F {
		i++
	}
	return i
}

// headCache remembers the headers of the last plain request. Most clients repeat them byte for
// byte, and comparing is much cheaper than scanning. Some values are holes in it, which are neither
// stored nor compared: Content-Length, because bodies differ, and those that the grammar does not
// judge, because the time of a comparison must not reveal how much of another client's key a guess
// got right.
type headCache struct {
	head  [512]byte
	size  int // of head; 0 means that there is none
	found headers
	holes [numHoles]span // in the order of the request
	n     int            // length of holes
}

// scan does what g.scan does. A headCache must always get the same grammar.
func (h *headCache) scan(g *grammar, b []byte, r *Request) verdict {
	if h.size > 0 && len(b) >= h.size {
		length := h.match(b)
		if size := h.size + length; length >= 0 && size <= min(len(b), MaxRequest) {
			r.set(b, h.size, size, &h.found)
			return plain
		}
	}
	v := g.scan(b, r)
	if size := len(r.whole) - len(r.Body); v == plain && size <= len(h.head) {
		h.size, h.found = copy(h.head[:], b[:size]), r.found
		h.makeHoles()
	}
	return v
}

func (h *headCache) makeHoles() {
	h.n = 0
	for _, s := range h.found[:numHoles] {
		if s.to > 0 {
			clear(s.of(h.head[:]))
			h.holes[h.n] = s
			h.n++
		}
	}
	slices.SortFunc(h.holes[:h.n], func(a, b span) int { return cmp.Compare(a.from, b.from) })
}

// match returns the length of the body if b begins with the remembered headers, and -1 otherwise.
func (h *headCache) match(b []byte) (length int) {
	from := uint16(0)
	for _, s := range h.holes[:h.n] {
		if !bytes.Equal(b[from:s.from], h.head[from:s.from]) {
			return -1
		}
		if s == h.found[contentLength] {
			length = digits(s.of(b))
		} else if visible(s.of(b)) < int(s.to-s.from) {
			return -1
		}
		from = s.to
	}
	if !bytes.Equal(b[from:h.size], h.head[from:h.size]) {
		return -1
	}
	return length
}

// digits returns the number that one to four digits stand for, or -1.
func digits(b []byte) int {
	if len(b) < 1 || len(b) > 4 {
		return -1
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return -1
		}
		n = 10*n + int(c-'0')
	}
	return n
}
