package load

import (
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// The histogram is log-linear: values below 2^subBits ns have a bucket each, and from there every
// power of two is cut into 2^(subBits-1) buckets, so that a bucket is never wider than 1/1024 of
// its values: three significant digits over the whole range of a time.Duration, nothing clamped.
const (
	subBits    = 11
	subHalf    = 1 << (subBits - 1)
	numBuckets = (63-subBits)*subHalf + 2*subHalf
)

// Histogram counts durations. The zero value is empty and ready. It is safe for concurrent use; a
// reader that runs beside writers sees some of their records and not others.
//
// It is not for values that may be negative: they count as zero.
type Histogram struct {
	counts   [numBuckets]atomic.Int64
	count    atomic.Int64
	sum      atomic.Int64
	max      atomic.Int64
	minPlus1 atomic.Int64 // smallest value plus one, so that zero means none
}

func bucketOf(v int64) int {
	exp := bits.Len64(uint64(v)) - subBits
	if exp <= 0 {
		return int(v)
	}
	return exp*subHalf + int(v>>exp)
}

// bucketLow is the smallest value of bucket i, and bucketLow(i+1)-1 its largest.
func bucketLow(i int) int64 {
	if i < 2*subHalf {
		return int64(i)
	}
	exp := i/subHalf - 1
	return int64(i%subHalf+subHalf) << exp
}

func bucketHigh(i int) int64 {
	if i == numBuckets-1 {
		return math.MaxInt64
	}
	return bucketLow(i+1) - 1
}

// Record counts d once.
func (h *Histogram) Record(d time.Duration) {
	v := max(int64(d), 0)
	h.counts[bucketOf(v)].Add(1)
	h.count.Add(1)
	h.sum.Add(v)
	for old := h.max.Load(); v > old && !h.max.CompareAndSwap(old, v); old = h.max.Load() {
	}
	if v == math.MaxInt64 {
		v--
	}
	for old := h.minPlus1.Load(); (old == 0 || v+1 < old) &&
		!h.minPlus1.CompareAndSwap(old, v+1); old = h.minPlus1.Load() {
	}
}

// Merge adds the counts of o to h: the result is that of one histogram that saw both.
func (h *Histogram) Merge(o *Histogram) {
	for i := range o.counts {
		if n := o.counts[i].Load(); n != 0 {
			h.counts[i].Add(n)
		}
	}
	h.count.Add(o.count.Load())
	h.sum.Add(o.sum.Load())
	h.max.Store(max(h.max.Load(), o.max.Load()))
	if m := o.minPlus1.Load(); m != 0 && (h.minPlus1.Load() == 0 || m < h.minPlus1.Load()) {
		h.minPlus1.Store(m)
	}
}

// Count is the number of records.
func (h *Histogram) Count() int64 { return h.count.Load() }

// Max is the largest record, exactly; 0 when empty.
func (h *Histogram) Max() time.Duration { return time.Duration(h.max.Load()) }

// Min is the smallest record, exactly; 0 when empty.
func (h *Histogram) Min() time.Duration { return time.Duration(max(h.minPlus1.Load()-1, 0)) }

// Mean is the exact mean; 0 when empty.
func (h *Histogram) Mean() time.Duration {
	n := h.count.Load()
	if n == 0 {
		return 0
	}
	return time.Duration(h.sum.Load() / n)
}

// Quantile is the value that a share q of the records do not exceed, never less than the true one
// and at most 1/1024 more; 0 when empty. Quantile(0.99) of a thousand records is the 990th
// smallest.
func (h *Histogram) Quantile(q float64) time.Duration {
	n := h.count.Load()
	if n == 0 {
		return 0
	}
	rank := min(max(int64(math.Ceil(q*float64(n))), 1), n)
	var seen int64
	for i := range h.counts {
		seen += h.counts[i].Load()
		if seen >= rank {
			return time.Duration(min(bucketHigh(i), h.max.Load()))
		}
	}
	return h.Max()
}

// ShareAbove is the share of the records above d, as far as buckets can tell: those that share d's
// own do not count.
func (h *Histogram) ShareAbove(d time.Duration) float64 {
	n := h.count.Load()
	if n == 0 {
		return 0
	}
	var above int64
	for i := bucketOf(max(int64(d), 0)) + 1; i < numBuckets; i++ {
		above += h.counts[i].Load()
	}
	return float64(above) / float64(n)
}

// histogramJSON is the sparse form: one pair of bucket index and count for each bucket in use. The
// quantiles are there for readers of the file, and are not read back.
type histogramJSON struct {
	Sum     int64      `json:"sum_ns"`
	Mean    int64      `json:"mean_ns"`
	Min     int64      `json:"min_ns"`
	P50     int64      `json:"p50_ns"`
	P90     int64      `json:"p90_ns"`
	P99     int64      `json:"p99_ns"`
	P999    int64      `json:"p99.9_ns"`
	Max     int64      `json:"max_ns"`
	Buckets [][2]int64 `json:"buckets"`
}

// MarshalJSON keeps every bucket in use, so that the histograms of several generators can be merged
// later.
func (h *Histogram) MarshalJSON() ([]byte, error) {
	out := histogramJSON{
		Sum: h.sum.Load(), Mean: int64(h.Mean()), Min: int64(h.Min()), Max: h.max.Load(),
		P50: int64(h.Quantile(0.5)), P90: int64(h.Quantile(0.9)), P99: int64(h.Quantile(0.99)),
		P999:    int64(h.Quantile(0.999)),
		Buckets: [][2]int64{},
	}
	for i := range h.counts {
		if n := h.counts[i].Load(); n != 0 {
			out.Buckets = append(out.Buckets, [2]int64{int64(i), n})
		}
	}
	return json.Marshal(out)
}

// UnmarshalJSON replaces h by what MarshalJSON wrote.
func (h *Histogram) UnmarshalJSON(b []byte) error {
	var in histogramJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	var count int64
	for _, p := range in.Buckets {
		if p[0] < 0 || p[0] >= numBuckets || p[1] < 0 {
			return fmt.Errorf("load: no such histogram bucket: %v", p)
		}
		count += p[1]
	}
	for i := range h.counts {
		h.counts[i].Store(0)
	}
	for _, p := range in.Buckets {
		h.counts[p[0]].Add(p[1])
	}
	h.count.Store(count)
	h.sum.Store(in.Sum)
	h.max.Store(in.Max)
	h.minPlus1.Store(0)
	if count > 0 {
		h.minPlus1.Store(in.Min + 1)
	}
	return nil
}
