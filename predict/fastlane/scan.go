package fastlane

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
	"net/http"
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
	routes              []*route
	maxFields           int // 0: any number
	validID, validTrace func([]byte) bool
	anyOrigin           bool // Origin changes no answer
}

const (
	// maxName bounds the length of a header name. Access-Control-Request-Headers, one of the
	// longest in use, has 30 bytes.
	maxName = 64

	// maxTarget bounds the request target, which servers do as well, but not as low.
	maxTarget = 1024
)

// span is the part [from:to] of some bytes; to is 0 when there is none. No request is longer than
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

// target is what a request line asks for.
type target struct {
	*route
	segment, query span // of the request
	end            int  // of the line, CRLF included
}

// line reads the request line at the front of b. It is plain when it is whole and one of a route.
func (g *grammar) line(b []byte) (t target, v verdict) {
	v = unsupported
	for _, r := range g.routes {
		n := min(len(b), len(r.start))
		switch {
		case string(b[:n]) != r.start[:n]:
		case n < len(r.start):
			v = needMore
		case r.taken == nil:
			return target{route: r, end: n}, plain
		default:
			return r.open(b)
		}
	}
	return t, v
}

// open reads the rest of a request line whose path ends in a segment that the client chooses.
func (r *route) open(b []byte) (t target, v verdict) {
	const end = " HTTP/1.1" + crlf
	t = target{route: r}
	from := len(r.start)
	to := from
	for to < len(b) && inSegment[b[to]] {
		to++
	}
	i := to
	if i < len(b) && b[i] == '?' {
		for i++; i < len(b) && b[i] > ' ' && b[i] < 0x7F && b[i] != '#'; i++ {
		}
		t.query = span{uint16(to + 1), uint16(i)}
	}
	n := min(len(b)-i, len(end))
	switch {
	case i > maxTarget || string(b[i:i+n]) != end[:n]:
		return t, unsupported
	case n < len(end):
		return t, needMore
	case slices.Contains(r.taken, string(b[from:to])):
		return t, unsupported
	}
	t.segment = span{uint16(from), uint16(to)}
	t.end = i + n
	return t, plain
}

// scan examines the front of b and sets the parts of r that it finds. It judges each line as soon
// as the line is complete, so a request that is not the lane's is handed over early.
func (g *grammar) scan(b []byte, r *Request) verdict {
	t, v := g.line(b)
	if v == plain {
		v = g.headers(b, t, r)
	}
	return v
}

// headers is scan behind the request line. The places of headers count from there.
func (g *grammar) headers(whole []byte, t target, r *Request) verdict {
	b := whole[t.end:]
	var found headers
	var lower [maxName]byte // the name in lower case
	for i, fields := 0, 1; ; fields++ {
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
			return found.end(whole, t, i, r)
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

// end finds the body behind the empty line, which is i bytes behind the request line.
func (h *headers) end(whole []byte, t target, i int, r *Request) verdict {
	b := whole[t.end:]
	post := t.Method == http.MethodPost
	switch {
	case b[i] != '\r':
		return unsupported
	case i+1 == len(b):
		return needMore
	case b[i+1] != '\n' || h[host].to == 0 || h[contentLength].to > 0 != post ||
		post && h[contentType].to == 0:
		return unsupported
	}
	length := 0
	if post {
		length = digits(h[contentLength].of(b))
	}
	switch size := t.end + i + 2 + length; {
	case size > MaxRequest:
		return unsupported
	case size > len(whole):
		return needBody
	}
	r.set(whole, t, i+2, length, h)
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
	route *route
	head  [1024]byte
	size  int // of head; 0 means that there is none
	found headers
	holes [numHoles]span // in the order of the request
	n     int            // length of holes
}

// scan does what g.scan does. A headCache must always get the same grammar.
func (h *headCache) scan(g *grammar, b []byte, r *Request) verdict {
	t, v := g.line(b)
	if v != plain {
		return v
	}
	if block := b[t.end:]; h.route == t.route && len(block) >= h.size {
		length := h.match(block)
		if length >= 0 && t.end+h.size+length <= min(len(b), MaxRequest) {
			r.set(b, t, h.size, length, &h.found)
			return plain
		}
	}
	v = g.headers(b, t, r)
	if v == plain && len(r.head) <= len(h.head) {
		h.route, h.size, h.found = t.route, copy(h.head[:], r.head), r.found
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
