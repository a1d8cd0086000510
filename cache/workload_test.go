package cache

import (
	"math"
	"math/rand/v2"
	"sort"
	"testing"
)

// numKeys is the number of answers that clients ask for again: 503 tickers at 30 horizons are
// 15,090.
const numKeys = 15000

// attackKeys is the first key that only attackers ask for.
const attackKeys = 1 << 24

// An ask is one look-up.
type ask struct {
	key   uint32
	bytes int64 // of the answer
}

// A workload is a reproducible sequence of look-ups.
type workload struct {
	name  string
	key   func(r *rand.Rand, i int) int // of the i-th look-up
	bytes func(key int) int64           // of an answer to an attacker; those of others have 1000
}

// asks returns n look-ups.
func (w workload) asks(n int, seed uint64) []ask {
	r := rand.New(rand.NewPCG(seed, 1))
	asks := make([]ask, n)
	for i := range asks {
		k := w.key(r, i)
		if asks[i] = (ask{uint32(k), 1000}); k >= attackKeys {
			asks[i].bytes = w.bytes(k - attackKeys)
		}
	}
	return asks
}

// zipf returns a sampler of keys 0 to n-1 with weights 1/(key+1)^s, by bisection in the sums of
// weights: rand.NewZipf cannot do s <= 1.
func zipf(s float64, n int) func(r *rand.Rand, i int) int {
	sums := make([]float64, n)
	total := 0.0
	for i := range sums {
		total += math.Pow(float64(i+1), -s)
		sums[i] = total
	}
	return func(r *rand.Rand, _ int) int { return sort.SearchFloat64s(sums, r.Float64()*total) }
}

// workloads returns sequences of regular clients. phase is the number of look-ups after which those
// that shift do so.
func workloads(phase int) []workload {
	z9, z10 := zipf(0.9, numKeys), zipf(1.0, numKeys)
	return []workload{
		{name: "zipf 0.7", key: zipf(0.7, numKeys)},
		{name: "zipf 0.9", key: z9},
		{name: "zipf 1.0", key: z10},
		{name: "zipf 1.2", key: zipf(1.2, numKeys)},
		{name: "zipf 0.9 with scans", key: func(r *rand.Rand, i int) int {
			if i %= phase + numKeys; i >= phase {
				return i * 7919 % numKeys // a batch job asks for all of them
			}
			return z9(r, i)
		}},
		{name: "zipf 0.9, 30 % one-hit keys", key: func(r *rand.Rand, i int) int {
			if r.Float64() < 0.3 {
				return numKeys + i
			}
			return z9(r, i)
		}},
		{name: "zipf 1.0, ranks rotated", key: func(r *rand.Rand, i int) int {
			return (z10(r, i) + i/phase*1000) % numKeys
		}},
		{name: "zipf 1.0, ranks sliding", key: func(r *rand.Rand, i int) int {
			return (z10(r, i) + i/20) % numKeys
		}},
		{name: "zipf 1.0, all new keys", key: func(r *rand.Rand, i int) int {
			return z10(r, i) + i/phase*numKeys // a new market day
		}},
		{name: "loop of 2000", key: func(_ *rand.Rand, i int) int { return i % 2000 }},
		{name: "a few times in 200 look-ups", key: func(r *rand.Rand, i int) int {
			return max(0, i/4-r.IntN(50))
		}},
		{name: "set of 2000 sliding", key: func(r *rand.Rand, i int) int { return i/10 + r.IntN(2000) }},
		{name: "set of 800 sliding fast", key: func(r *rand.Rand, i int) int { return i/4 + r.IntN(800) }},
		// It just fits at one of the capacities.
		{name: "set of 1350, 2 % one-hit keys", key: func(r *rand.Rand, i int) int {
			if r.IntN(50) == 0 {
				return numKeys + i
			}
			return r.IntN(1350)
		}},
	}
}

// capacities are 0.5 % to 80 % of numKeys.
var capacities = []int{75, 150, 375, 750, 1500, 3000, 6000, 12000}

// hitRatio returns the hits of regular clients in percent of their look-ups.
func hitRatio(asks []ask, access policy) float64 {
	hits, n := 0, 0
	for _, a := range asks {
		hit := access(a)
		if a.key < attackKeys {
			n++
			if hit {
				hits++
			}
		}
	}
	return 100 * float64(hits) / float64(n)
}

// TestSimulations compares the simulations with what is known of them.
func TestSimulations(t *testing.T) {
	loop := workload{key: func(_ *rand.Rand, i int) int { return i % 2000 }}.asks(20_000, 0)
	for _, l := range []limits{{2000, 0}, {9999, 2_000_000}} {
		less := limits{l.entries - 1, l.bytes - min(l.bytes, 1)}
		for i, p := range []func(limits) policy{exactLRU, clock, sieve, fifo} {
			if got := hitRatio(loop, p(l)); got != 90 {
				t.Errorf("policy %d, %+v: got %v %% of a loop that fits, want 90", i, l, got)
			}
			if got := hitRatio(loop, p(less)); got != 0 {
				t.Errorf("policy %d, %+v: got %v %% of a longer loop, want 0", i, less, got)
			}
		}
	}
	for _, w := range workloads(5000)[:4] {
		asks, l := w.asks(20_000, 0), limits{entries: 1000}
		if lru, inOrder := hitRatio(asks, exactLRU(l)), hitRatio(asks, fifo(l)); inOrder > lru {
			t.Errorf("%s: got FIFO %.1f above LRU %.1f", w.name, inOrder, lru)
		}
	}
}
