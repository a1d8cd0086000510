package server

import (
	"math/rand/v2"
	"net/http"
	"sync"
)

// requestID is the header's name as net/http writes it.
const requestID = "X-Request-Id"

// identify gives an answer the id of its request, if that is fit to be logged, else a new one.
func (s *Server) identify(w http.ResponseWriter, r *http.Request) string {
	values := r.Header[requestID]
	if len(values) != 1 || !validID(values[0]) {
		values = s.ids.take()
	}
	w.Header()[requestID] = values
	return values[0]
}

// idPool makes request ids by the block: one by one they would be two allocations for each request
// that net/http reads.
type idPool struct{ blocks sync.Pool }

// idBlock has ids of which those before next are taken.
type idBlock struct {
	ids  [64]string
	next int
}

// take returns a new id in the form of a header's value.
func (p *idPool) take() []string {
	b, ok := p.blocks.Get().(*idBlock)
	if !ok {
		b = newIDBlock()
	}
	i := b.next
	if b.next++; b.next < len(b.ids) {
		p.blocks.Put(b)
	}
	return b.ids[i : i+1 : i+1]
}

func newIDBlock() *idBlock {
	b := new(idBlock)
	var text []byte
	for range b.ids {
		text = appendID(text)
	}
	all, n := string(text), len(text)/len(b.ids)
	for i := range b.ids {
		b.ids[i] = all[i*n : (i+1)*n]
	}
	return b
}

// maxID is the length of the longest request id that is accepted from a client.
const maxID = 128

// appendID appends a new request id to b: 128 random bits as 32 hex digits. The runtime keeps the
// generator per thread, so this takes no lock and shares no counter between cores.
func appendID(b []byte) []byte {
	const digits = "0123456789abcdef"
	var id [32]byte
	for at := 0; at < len(id); at += 16 {
		x := rand.Uint64()
		for i := range 16 {
			id[at+i] = digits[x&15]
			x >>= 4
		}
	}
	return append(b, id[:]...)
}

// validID reports whether an id from a client may stand in the answer and the log: up to maxID
// letters, digits and -._~:+/=. That covers UUIDs, ULIDs, base64 and the ids of load balancers, and
// needs no escape anywhere.
func validID[T string | []byte](s T) bool {
	if len(s) == 0 || len(s) > maxID {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case '0' <= c && c <= '9', 'a' <= c|0x20 && c|0x20 <= 'z':
		case c == '-', c == '.', c == '_', c == '~', c == ':', c == '+', c == '/', c == '=':
		default:
			return false
		}
	}
	return true
}

// validTrace reports whether s is a traceparent of W3C Trace Context: version, trace id, parent id
// and flags, in lower case hex, the ids not zero. A version above 00 may go on after that, up to
// maxID bytes.
func validTrace[T string | []byte](s T) bool {
	const length = len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if len(s) < length || len(s) > maxID || len(s) > length &&
		(string(s[:2]) == "00" || s[length] != '-' || !validID(s)) {
		return false
	}
	for i := range length {
		switch c := s[i]; {
		case i == 2 || i == 35 || i == 52:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return string(s[:2]) != "ff" && string(s[3:35]) != "00000000000000000000000000000000" &&
		string(s[36:52]) != "0000000000000000"
}
