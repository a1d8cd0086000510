package metrics

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// cacheLine is the distance that keeps two stripes from sharing a line: 64 bytes, and 64 more
// because x86 fetches lines in pairs; 128 is the line of Apple's processors.
const cacheLine = 128

// maxStripes bounds a metric's size on a very large machine, where processors then share stripes.
const maxStripes = 64

// stripes hands each processor a stripe of its own to count in. A sync.Pool keeps a list for each
// processor, so a goroutine nearly always takes out what the same core put back: that is 4 ns more
// than an uncontended atomic add, and the line stays in that core's cache. The pool may lose or move
// a token, so stripes are atomic: the token makes adding cheap, the atomic makes it correct.
type stripes struct {
	tokens []token
	next   atomic.Uint32
	pool   sync.Pool
}

// token is the right to count in the stripe of that number.
type token struct{ stripe int }

func newStripes() *stripes {
	n := 1
	for n < min(runtime.GOMAXPROCS(0), maxStripes) {
		n *= 2
	}
	s := &stripes{tokens: make([]token, n)}
	for i := range s.tokens {
		s.tokens[i].stripe = i
	}
	s.pool.New = func() any { return &s.tokens[int(s.next.Add(1)-1)%n] }
	return s
}

func (s *stripes) take() *token { return s.pool.Get().(*token) }
func (s *stripes) put(t *token) { s.pool.Put(t) }
func (s *stripes) len() int     { return len(s.tokens) }
