package metrics

import "sync/atomic"

// Counter is a number that only goes up. It wraps at 2^64.
type Counter struct{ sum }

// Inc adds one.
func (c *Counter) Inc() { c.add(1) }

// Add adds n.
func (c *Counter) Add(n uint64) { c.add(n) }

// Value is the number so far: no snapshot, when others are adding.
func (c *Counter) Value() uint64 { return c.total() }

func newCounter(s *stripes) *Counter { return &Counter{newSum(s)} }

// Gauge is a number that goes up and down, such as requests in flight. What can be asked for is a
// [Registry.GaugeFunc].
type Gauge struct{ sum }

// Add adds n, which may be negative.
func (g *Gauge) Add(n int) { g.add(uint64(n)) }

// Value is the number now: no snapshot, when others are adding.
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
