package metrics

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Counter is a number that only goes up. It wraps at 2^64.
type Counter struct{ sum }

// Inc adds one.
func (c *Counter) Inc() { c.add(1) }

// Add adds n.
func (c *Counter) Add(n uint64) { c.add(n) }

// Value returns the number so far. It is no snapshot while others are adding.
func (c *Counter) Value() uint64 { return c.total() }

func newCounter(s *stripes) *Counter { return &Counter{newSum(s)} }

// Gauge is a number that goes up and down, such as requests in flight. For a number that is known
// elsewhere there is [Registry.GaugeFunc].
type Gauge struct{ sum }

// Add adds n, which may be negative.
func (g *Gauge) Add(n int) { g.add(uint64(n)) }

// Value returns the number now. It is no snapshot while others are adding.
func (g *Gauge) Value() int { return int(g.total()) }

func newGauge(s *stripes) *Gauge { return &Gauge{newSum(s)} }

// sum is a striped total, modulo 2^64: going down is adding the complement.
type sum struct {
	stripes *stripes
	cells   []cell
}

type cell struct {
	n atomic.Uint64
	_ [cacheLine - 8]byte
}

func newSum(s *stripes) sum { return sum{s, make([]cell, s.len())} }

func (s *sum) add(n uint64) {
	t := s.stripes.take()
	s.cells[t.stripe].n.Add(n)
	s.stripes.put(t)
}

func (s *sum) total() uint64 {
	var n uint64
	for i := range s.cells {
		n += s.cells[i].n.Load()
	}
	return n
}

// cacheLine is the distance that keeps two stripes from sharing a line: 64 bytes, and 64 more
// because x86 fetches lines in pairs; 128 is the line of Apple's processors.
const cacheLine = 128

// maxStripes bounds a metric's size on a very large machine, where processors then share stripes.
const maxStripes = 64

// stripes hands each processor a stripe of its own to count in. A sync.Pool keeps a list for each
// processor, so a goroutine nearly always takes out what the same core put back: that is 4 ns more
// than an uncontended atomic add, and the line stays in that core's cache. The pool may lose or
// move a token, so stripes are atomic: the token makes adding cheap, the atomic makes it correct.
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
