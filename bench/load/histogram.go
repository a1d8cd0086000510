package load

import (
	"fmt"
	"math"
	"math/bits"
	"time"
)

// The histogram is log-linear: values below 2^subBits ns have a bucket each, and every power of two
// above is cut into 2^(subBits-1) buckets. So no bucket is wider than 1/1024 of its values, over
// the whole range of a time.Duration.
const (
	subBits    = 11
	subHalf    = 1 << (subBits - 1)
	numBuckets = (63-subBits)*subHalf + 2*subHalf
)

// Histogram counts durations; negative ones count as zero. The zero value is empty and ready. It is
// not safe for concurrent use.
type Histogram struct {
	counts        [numBuckets]int64
	count         int64
	sum, min, max time.Duration
}

func bucketOf(v int64) int {
	exp := bits.Len64(uint64(v)) - subBits
	if exp <= 0 {
		return int(v)
	}
	return exp*subHalf + int(v>>exp)
}

// bucketLow is the smallest value of bucket i.
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
	d = max(d, 0)
	if h.count == 0 || d < h.min {
		h.min = d
	}
	h.max = max(h.max, d)
	h.counts[bucketOf(int64(d))]++
	h.count++
	h.sum += d
}

// Add counts what o has counted.
func (h *Histogram) Add(o *Histogram) {
	if o.count == 0 {
		return
	}
	if h.count == 0 || o.min < h.min {
		h.min = o.min
	}
	h.max = max(h.max, o.max)
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.count += o.count
	h.sum += o.sum
}

// Count is the number of records.
func (h *Histogram) Count() int64 { return h.count }

// Max is the largest record, exactly; 0 when empty.
func (h *Histogram) Max() time.Duration { return h.max }

// Min is the smallest record, exactly; 0 when empty.
func (h *Histogram) Min() time.Duration { return h.min }

// Mean is the exact mean; 0 when empty.
func (h *Histogram) Mean() time.Duration { return h.sum / time.Duration(max(h.count, 1)) }

// Quantile is the value that a share q of the records do not exceed, at most 1/1024 too large; 0
// when empty. Quantile(0.99) of a thousand records is the 990th smallest.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := min(max(int64(math.Ceil(q*float64(h.count))), 1), h.count)
	var seen int64
	for i, n := range h.counts[:] {
		if seen += n; seen >= rank {
			return min(time.Duration(bucketHigh(i)), h.max)
		}
	}
	return h.max
}

// ShareAbove is the share of the records above d. Those in d's own bucket do not count.
func (h *Histogram) ShareAbove(d time.Duration) float64 {
	var above int64
	for _, n := range h.counts[bucketOf(max(int64(d), 0))+1:] {
		above += n
	}
	return float64(above) / float64(max(h.count, 1))
}

// MarshalJSON writes a summary.
func (h *Histogram) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"count":%d,"mean_ns":%d,"min_ns":%d,"p50_ns":%d,"p90_ns":%d,`+
		`"p99_ns":%d,"p99.9_ns":%d,"max_ns":%d}`, h.count, h.Mean(), h.min, h.Quantile(0.5),
		h.Quantile(0.9), h.Quantile(0.99), h.Quantile(0.999), h.max), nil
}
