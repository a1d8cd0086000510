package metrics

import (
	"sync/atomic"
	"time"
)

// buckets are the upper bounds of every histogram: a hit of the fast lane takes some 10 us,
// net/http some 50, a forecast under a millisecond, and ten seconds is the longest that any timeout
// lets an answer take. An observation counts in the first bucket whose bound is not below it, or in
// the last, which has none.
var buckets = [...]time.Duration{
	25 * time.Microsecond, 50 * time.Microsecond, 100 * time.Microsecond, 250 * time.Microsecond,
	500 * time.Microsecond,
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond,
	25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// Histogram counts durations by bucket.
type Histogram struct {
	stripes *stripes
	cells   []histogramCell
}

// histogramCell is one stripe. There is no count beside the buckets: it is their sum, so the two
// cannot disagree.
type histogramCell struct {
	counts [len(buckets) + 1]atomic.Uint64
	nanos  atomic.Uint64
	_      [(cacheLine - (len(buckets)+2)*8%cacheLine) % cacheLine]byte
}

func newHistogram(s *stripes) *Histogram {
	return &Histogram{s, make([]histogramCell, s.len())}
}

// Observe counts d. A negative duration, which only a broken clock gives, counts as zero.
func (h *Histogram) Observe(d time.Duration) {
	d = max(d, 0)
	i := 0 // a scan from below: most answers fall in the first bucket or two
	for i < len(buckets) && d > buckets[i] {
		i++
	}
	t := h.stripes.take()
	c := &h.cells[t.stripe]
	c.counts[i].Add(1)
	c.nanos.Add(uint64(d))
	h.stripes.put(t)
}

// Count is the number of observations so far: no snapshot, when others are observing.
func (h *Histogram) Count() uint64 {
	counts, _ := h.load()
	var n uint64
	for _, c := range counts {
		n += c
	}
	return n
}

// load gives the observations of each bucket, not cumulated, and their sum in seconds.
func (h *Histogram) load() (counts [len(buckets) + 1]uint64, seconds float64) {
	for i := range h.cells {
		for j := range counts {
			counts[j] += h.cells[i].counts[j].Load()
		}
		seconds += float64(h.cells[i].nanos.Load()) / 1e9
	}
	return counts, seconds
}
