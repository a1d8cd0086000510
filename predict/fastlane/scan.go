package fastlane

import (
	"encoding/binary"
	"math/bits"
	"strings"
)

// verdict is what the bytes read so far are.
type verdict int

const (
	partial verdict = iota // the beginning of a request, its headers not all there
	headed                 // headers all there, the body not
	plain                  // a whole request that the grammar knows
	foreign                // anything else
)

// grammar knows the requests of the package's doc.
type grammar struct {
	line                string              // the request line, its CRLF included
	special             map[string]struct{} // in lower case; nil when there are none
	validID, validTrace func([]byte) bool   // as in Config
}

func newGrammar(target string, special []string) grammar {
	g := grammar{line: "POST " + target + " HTTP/1.1\r\n"}
	for _, name := range special {
		if g.special == nil {
			g.special = make(map[string]struct{}, len(special))
		}
		g.special[strings.ToLower(name)] = struct{}{}
	}
	return g
}

// maxName bounds the name of a header. The longest of those in use, Access-Control-Request-Headers
// and the like, have 30.
const maxName = 64

// request is a whole request at the front of a buffer.
type request struct {
	body []byte
	size int // headers and body
	parts
}

// parts are where in a request the values of headers stand.
type parts struct {
	id, trace span               // what it calls itself and what it is part of, if it says so
	loose     [looseHeaders]span // what may be anything visible, blanks around it included
}

// Headers whose values the grammar does not judge.
const (
	authorization = iota
	apiKey
	forwardedFor
	looseHeaders
)

// span is a part of a request; to is 0 when there is none. It is small, because requests are passed
// on by value.
type span struct{ from, to uint16 }

// no buffer is longer than MaxRequest
func newSpan(from, to int) span { return span{uint16(from), uint16(to)} }

func (s span) of(b []byte) []byte { return b[s.from:s.to:s.to] }

// value is that of a loose header.
func (p *parts) value(which int, b []byte) []byte { return trim(p.loose[which].of(b)) }

// scan looks at the front of b. It judges every line that is complete, so what is foreign is known
// as soon as it can be.
func (g *grammar) scan(b []byte) (request, verdict) {
	if len(b) < len(g.line) {
		if string(b) == g.line[:len(b)] {
			return request{}, partial
		}
		return request{}, foreign
	}
	if string(b[:len(g.line)]) != g.line {
		return request{}, foreign
	}
	i := len(g.line)
	length := -1
	host, json := false, false
	var r request
	var lower [maxName]byte // the name in lower case
	for {
		start := i
		for i < len(b) && tokens[b[i]] != 0 {
			if n := i - start; n < len(lower) {
				lower[n] = tokens[b[i]]
			}
			i++
		}
		if i == len(b) {
			return request{}, partial
		}
		if i == start { // not a name: the empty line, or foreign
			if b[i] != '\r' {
				return request{}, foreign
			}
			if i+1 == len(b) {
				return request{}, partial
			}
			if b[i+1] != '\n' || !host || !json || length < 0 {
				return request{}, foreign
			}
			i += 2
			switch size := i + length; {
			case size > MaxRequest:
				return request{}, foreign
			case size > len(b):
				return request{}, headed
			default:
				r.body, r.size = b[i:size:size], size
				return r, plain
			}
		}
		if b[i] != ':' {
			return request{}, foreign
		}
		n := i - start
		i++
		end := i + visible(b[i:])
		if end == len(b) || b[end] == '\r' && end+1 == len(b) {
			return request{}, partial
		}
		if b[end] != '\r' || b[end+1] != '\n' {
			return request{}, foreign
		}
		value := b[i:end]
		i = end + 2
		if n > maxName {
			return request{}, foreign
		}
		name := lower[:n]
		if g.special != nil {
			if _, ok := g.special[string(name)]; ok {
				return request{}, foreign
			}
		}
		switch string(name) {
		case "host":
			if host || !isHost(trim(value)) {
				return request{}, foreign
			}
			host = true
		case "content-length":
			if length >= 0 {
				return request{}, foreign
			}
			if length = digits(trim(value)); length < 0 {
				return request{}, foreign
			}
		case "content-type":
			if json || !isJSON(trim(value)) {
				return request{}, foreign
			}
			json = true
		case "connection":
			if !equalFold(trim(value), "keep-alive") {
				return request{}, foreign
			}
		case "transfer-encoding", "te", "trailer", "expect", "upgrade", "http2-settings",
			"content-encoding", "origin", "range":
			return request{}, foreign
		case "authorization", "x-api-key", "x-forwarded-for":
			at := &r.loose[authorization]
			switch name[2] {
			case 'a':
				at = &r.loose[apiKey]
			case 'f':
				at = &r.loose[forwardedFor]
			}
			if at.to > 0 {
				return request{}, foreign
			}
			*at = newSpan(end-len(value), end)
		case "x-request-id":
			if r.id.to > 0 || g.validID == nil || !g.validID(trim(value)) {
				return request{}, foreign
			}
			r.id = trimmed(b, end-len(value), end)
		case "traceparent":
			if r.trace.to > 0 || g.validTrace == nil || !g.validTrace(trim(value)) {
				return request{}, foreign
			}
			r.trace = trimmed(b, end-len(value), end)
		case "tracestate":
			if g.validTrace == nil {
				return request{}, foreign
			}
		default:
			if n > 3 && string(name[:3]) == "if-" {
				return request{}, foreign
			}
		}
	}
}

// tokens maps a byte that may stand in a header's name to itself in lower case, others to 0.
var tokens = func() (t [256]byte) {
	for c := byte('0'); c <= '9'; c++ {
		t[c] = c
	}
	for c := byte('a'); c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = c, c
	}
	for _, c := range []byte("!#$%&'*+-.^_`|~") {
		t[c] = c
	}
	return t
}()

// visible is the number of bytes at the front of b that are 0x20 to 0x7E. Eight at a time it is a sixth of the cost of one
// at a time, and the values are two thirds of a request's headers.
func visible(b []byte) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		del := x ^ 0x7F*ones
		// A byte's high bit is set where it is below 0x20, is 0x7F, or has it already. Borrows reach only upwards, so the
		// lowest one set is right.
		if m := ((x-0x20*ones)&^x | (del-ones)&^del | x) & highs; m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for i < len(b) && b[i] >= 0x20 && b[i] < 0x7F {
		i++
	}
	return i
}

// trim takes spaces off both ends; a tab is no visible byte and never gets here.
func trim(b []byte) []byte {
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	return b
}

// trimmed is trim of a part of b.
func trimmed(b []byte, from, to int) span {
	for from < to && b[from] == ' ' {
		from++
	}
	return newSpan(from, from+len(trim(b[from:to])))
}

func isHost(b []byte) bool {
	for _, c := range b {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > ':') && c != '-' && c != '.' &&
			c != '_' && c != '[' && c != ']' {
			return false
		}
	}
	return len(b) > 0
}

// digits is the number that one to four digits are, or -1.
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

func isJSON(b []byte) bool {
	const json = "application/json"
	if len(b) < len(json) || !equalFold(b[:len(json)], json) {
		return false
	}
	if b = trim(b[len(json):]); len(b) == 0 {
		return true
	}
	return b[0] == ';' && equalFold(trim(b[1:]), "charset=utf-8")
}

// equalFold compares ASCII without case; s is in lower case.
func equalFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i, c := range b {
		if c != s[i] && (c < 'A' || c > 'Z' || c|0x20 != s[i]) {
			return false
		}
	}
	return true
}
