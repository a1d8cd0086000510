package load

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestBuckets walks every bucket: they must tile the range without a gap, and none may be wider
// than 1/1024 of its values.
func TestBuckets(t *testing.T) {
	if got := bucketOf(math.MaxInt64); got != numBuckets-1 {
		t.Fatalf("bucketOf(MaxInt64) = %d, want the last, %d", got, numBuckets-1)
	}
	next := int64(0)
	for i := range numBuckets {
		low, high := bucketLow(i), bucketHigh(i)
		if low != next || high < low {
			t.Fatalf("bucket %d is [%d, %d], want it to begin at %d", i, low, high, next)
		}
		if bucketOf(low) != i || bucketOf(high) != i {
			t.Fatalf("bucket %d: bucketOf(%d) = %d, bucketOf(%d) = %d", i, low, bucketOf(low), high,
				bucketOf(high))
		}
		if (high-low)*subHalf > low {
			t.Fatalf("bucket %d, [%d, %d], is wider than 1/%d of its values", i, low, high, subHalf)
		}
		next = high + 1
	}
}

// sortedQuantile is the obvious definition that Quantile approximates.
func sortedQuantile(sorted []time.Duration, q float64) time.Duration {
	rank := min(max(int(math.Ceil(q*float64(len(sorted)))), 1), len(sorted))
	return sorted[rank-1]
}

func TestQuantileAgainstSorted(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	shapes := map[string]func() time.Duration{
		"tiny": func() time.Duration { return time.Duration(rng.IntN(3000)) },
		"uniform": func() time.Duration {
			return time.Duration(rng.Int64N(int64(time.Second)))
		},
		"exponential": func() time.Duration {
			return time.Duration(rng.ExpFloat64() * float64(80*time.Microsecond))
		},
		"any size": func() time.Duration { return time.Duration(rng.Int64() >> rng.IntN(63)) },
		"two humps": func() time.Duration {
			if rng.IntN(1000) == 0 {
				return time.Second + time.Duration(rng.IntN(1000))
			}
			return 50 * time.Microsecond
		},
	}
	for name, draw := range shapes {
		for _, n := range []int{1, 2, 10, 999, 20_000} {
			var h Histogram
			values := make([]time.Duration, n)
			for i := range values {
				values[i] = draw()
				h.Record(values[i])
			}
			slices.Sort(values)
			if h.Min() != values[0] || h.Max() != values[n-1] || h.Count() != int64(n) {
				t.Errorf("%s, %d: min %d, max %d, count %d; want %d, %d, %d", name, n, h.Min(),
					h.Max(), h.Count(), values[0], values[n-1], n)
			}
			for _, q := range []float64{0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1} {
				got, want := h.Quantile(q), sortedQuantile(values, q)
				if got < want || float64(got) > float64(want)*(1+1.0/1024) {
					t.Errorf("%s, %d: Quantile(%v) = %d, want %d and at most 1/1024 more", name, n,
						q, got, want)
				}
			}
		}
	}
}

func TestShareAbove(t *testing.T) {
	var h Histogram
	for range 998 {
		h.Record(time.Millisecond)
	}
	h.Record(101 * time.Millisecond)
	h.Record(5 * time.Second)
	for d, want := range map[time.Duration]float64{
		0: 1, 2 * time.Millisecond: 0.002, 100 * time.Millisecond: 0.002,
		200 * time.Millisecond: 0.001, 6 * time.Second: 0,
	} {
		if got := h.ShareAbove(d); got != want {
			t.Errorf("ShareAbove(%v) = %v, want %v", d, got, want)
		}
	}
}

func TestHistogramEmptyAndNegative(t *testing.T) {
	var h Histogram
	if h.Quantile(0.5) != 0 || h.Mean() != 0 || h.Min() != 0 || h.Max() != 0 ||
		h.ShareAbove(0) != 0 {
		t.Error("an empty histogram must answer 0 to everything")
	}
	h.Record(-time.Second)
	if h.Count() != 1 || h.Max() != 0 || h.Quantile(1) != 0 {
		t.Errorf("a negative record: count %d, max %d; want it counted as 0", h.Count(), h.Max())
	}
}

func TestHistogramJSON(t *testing.T) {
	var h Histogram
	for _, d := range []time.Duration{1, 2, 3, 10} {
		h.Record(d)
	}
	b, err := json.Marshal(&h)
	const want = `{"count":4,"mean_ns":4,"min_ns":1,"p50_ns":2,"p90_ns":10,"p99_ns":10,` +
		`"p99.9_ns":10,"max_ns":10}`
	if err != nil || string(b) != want {
		t.Errorf("got %s, error %v; want %s", b, err, want)
	}
}

func TestRecordAllocatesNothing(t *testing.T) {
	h := new(Histogram)
	if n := testing.AllocsPerRun(100, func() { h.Record(time.Millisecond) }); n != 0 {
		t.Errorf("Record allocates %v times, want 0", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	h := new(Histogram)
	d := time.Duration(0)
	for b.Loop() {
		h.Record(d)
		d = (d + 977) & 0xfffff
	}
}

// TestHistogramAdd compares a sum of two with one that has counted all.
func TestHistogramAdd(t *testing.T) {
	var all, a, b, empty Histogram
	for i := range 1000 {
		d := time.Duration(i * i * 37)
		all.Record(d)
		if i%3 == 0 {
			a.Record(d)
		} else {
			b.Record(d)
		}
	}
	empty.Add(&a)
	empty.Add(&b)
	empty.Add(new(Histogram))
	if empty != all {
		t.Errorf("got %d records from %v to %v, want %d from %v to %v", empty.Count(), empty.Min(),
			empty.Max(), all.Count(), all.Min(), all.Max())
	}
}
