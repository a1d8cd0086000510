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
	name string
	loss float64                       // the hit ratio may be so many points below exact LRU
	key  func(r *rand.Rand, i int) int // of the i-th look-up
}

// asks returns n look-ups; attackers ask for answers of the given size.
func (w workload) asks(n int, attackBytes int64) []ask {
	r := rand.New(rand.NewPCG(0, 1))
	asks := make([]ask, n)
	for i := range asks {
		if asks[i] = (ask{uint32(w.key(r, i)), 1000}); asks[i].key >= attackKeys {
			asks[i].bytes = attackBytes
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
		{"zipf 0.7", 1, zipf(0.7, numKeys)},
		{"zipf 0.9", 1, z9},
		{"zipf 1.0", 1, z10},
		{"zipf 1.2", 1, zipf(1.2, numKeys)},
		{"zipf 0.9 with scans", 1, func(r *rand.Rand, i int) int {
			if i %= phase + numKeys; i >= phase {
				return i * 7919 % numKeys // a batch job asks for all of them
			}
			return z9(r, i)
		}},
		{"zipf 0.9, 30 % one-hit keys", 1, func(r *rand.Rand, i int) int {
			if r.Float64() < 0.3 {
				return numKeys + i
			}
			return z9(r, i)
		}},
		{"zipf 1.0, ranks rotated", 1, func(r *rand.Rand, i int) int {
			return (z10(r, i) + i/phase*1000) % numKeys
		}},
		{"zipf 1.0, ranks sliding", 1, func(r *rand.Rand, i int) int {
			return (z10(r, i) + i/20) % numKeys
		}},
		{"zipf 1.0, all new keys", 1, func(r *rand.Rand, i int) int {
			return z10(r, i) + i/phase*numKeys // a new market day
		}},
		{"loop of 2000", 1, func(_ *rand.Rand, i int) int { return i % 2000 }},
		{"a few times in 200 look-ups", 1, func(r *rand.Rand, i int) int {
			return max(0, i/4-r.IntN(50))
		}},
		{"set of 2000 sliding", 1, func(r *rand.Rand, i int) int { return i/10 + r.IntN(2000) }},
		// It slides fast and is about as wide as the cache at one of the capacities.
		{"set of 800 sliding fast", 2, func(r *rand.Rand, i int) int { return i/4 + r.IntN(800) }},
		// It just fits at one of the capacities.
		{"set of 1350, 2 % one-hit keys", 1, func(r *rand.Rand, i int) int {
			if r.IntN(50) == 0 {
				return numKeys + i
			}
			return r.IntN(1350)
		}},
	}
}

// capacities are 0.5 % to 80 % of numKeys.
var capacities = []int{75, 150, 375, 750, 1500, 3000, 6000, 12000}

// attacks returns sequences in which nine of ten look-ups are an attacker's. The popular keys and
// the cache are scaled: 1/scale of 20,000 answers of 1 kB in 65,536 entries and 64 MiB.
func attacks(scale int) (attacks []workload, l limits) {
	popular := zipf(1.0, 20_000/scale)
	apart := 2000 / scale
	for name, key := range map[string]func(i int) int{ // of the attacker's i-th look-up
		"never repeated":       func(i int) int { return i },
		"twice in a row":       func(i int) int { return i / 2 },
		"three times in a row": func(i int) int { return i / 3 },
		"twice, far apart":     func(i int) int { return i/(2*apart)*apart + i%apart },
		// Four times each, so far apart that all uses but the first count as such. A key that is
		// passed over begins anew, where exact LRU would count from its last use: that costs more
		// than a point.
		"four times, far apart": func(i int) int {
			apart := 10_000 / scale
			return i/(4*apart)*apart + i%apart
		},
		// Together with the popular answers this is as much as just fits, and then just not.
		"a loop as long as the cache": func(i int) int { return i % (65_000 / scale) },
		"a loop that grows":           func(i int) int { return i % (1 + i/20) },
		"a loop beyond capacity":      func(i int) int { return i % (100_000 / scale) },
		"a loop that fits":            func(i int) int { return i % (5000 / scale) },
	} {
		loss := 1.0
		if name == "four times, far apart" {
			loss = 2
		}
		attacks = append(attacks, workload{name, loss, func(r *rand.Rand, i int) int {
			if i%10 == 0 {
				return popular(r, i)
			}
			return attackKeys + key(i-i/10-1)
		}})
	}
	return attacks, limits{65_536 / scale, 64 << 20 / int64(scale)}
}

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
		for i, p := range []func(limits) policy{exactLRU, lateClock, clock, sieve, fifo} {
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
