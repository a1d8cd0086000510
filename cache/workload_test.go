package cache

import (
	"math"
	"math/rand/v2"
	"sort"
	"testing"
)

// numKeys is the size of the key space of the workloads: 503 tickers at 30 horizons are 15,090
// answers.
const numKeys = 15000

// A workload is a reproducible sequence of keys. Keys below numKeys are answers that are asked
// again; those above are asked once. Ranks of popularity are spread over the keys by a random
// permutation.
type workload struct {
	name string
	seq  func(r *rand.Rand, n int) []uint32
}

// zipf returns a sampler of ranks 0 to numKeys-1 with weights 1/(rank+1)^s, by bisection in the
// cumulative weights: rand.NewZipf cannot do s <= 1.
func zipf(s float64) func(r *rand.Rand) int {
	sums := make([]float64, numKeys)
	total := 0.0
	for i := range sums {
		total += math.Pow(float64(i+1), -s)
		sums[i] = total
	}
	return func(r *rand.Rand) int { return sort.SearchFloat64s(sums, r.Float64()*total) }
}

// ranked makes a sequence out of one rank for each i, under one permutation.
func ranked(rank func(r *rand.Rand, i int) int) func(*rand.Rand, int) []uint32 {
	return func(r *rand.Rand, n int) []uint32 {
		perm := r.Perm(numKeys)
		seq := make([]uint32, n)
		for i := range seq {
			seq[i] = uint32(perm[rank(r, i)%numKeys])
		}
		return seq
	}
}

// workloads returns the sequences on which the policy was chosen. phase is the number of accesses
// after which a shifting workload shifts.
func workloads(phase int) []workload {
	z7, z9, z10, z12 := zipf(0.7), zipf(0.9), zipf(1.0), zipf(1.2)
	return []workload{
		{"zipf 0.7", ranked(func(r *rand.Rand, _ int) int { return z7(r) })},
		{"zipf 0.9", ranked(func(r *rand.Rand, _ int) int { return z9(r) })},
		{"zipf 1.0", ranked(func(r *rand.Rand, _ int) int { return z10(r) })},
		{"zipf 1.2", ranked(func(r *rand.Rand, _ int) int { return z12(r) })},
		{"zipf 0.9 with scans", func(r *rand.Rand, n int) []uint32 {
			// a batch job asks for everything once in a while
			perm := r.Perm(numKeys)
			seq := make([]uint32, 0, n+phase+numKeys)
			for len(seq) < n {
				for range phase {
					seq = append(seq, uint32(perm[z9(r)]))
				}
				for k := range numKeys {
					seq = append(seq, uint32(k))
				}
			}
			return seq[:n]
		}},
		{"zipf 0.9 with 30 % one-hit keys", func(r *rand.Rand, n int) []uint32 {
			perm := r.Perm(numKeys)
			seq := make([]uint32, n)
			for i := range seq {
				if seq[i] = uint32(perm[z9(r)]); r.Float64() < 0.3 {
					seq[i] = uint32(numKeys + i)
				}
			}
			return seq
		}},
		{"loop of 2000", ranked(func(_ *rand.Rand, i int) int { return i % 2000 })},
		{"zipf 1.0, ranks rotated",
			ranked(func(r *rand.Rand, i int) int { return z10(r) + i/phase*1000 })},
		{"zipf 1.0, ranks sliding", ranked(func(r *rand.Rand, i int) int { return z10(r) + i/20 })},
		{"zipf 1.0, market open", func(r *rand.Rand, n int) []uint32 {
			// the whole hot set changes at once
			perm := r.Perm(numKeys)
			seq := make([]uint32, n)
			for i := range seq {
				if i > 0 && i%phase == 0 {
					perm = r.Perm(numKeys)
				}
				seq[i] = uint32(perm[z10(r)])
			}
			return seq
		}},
		{"recency", func(r *rand.Rand, n int) []uint32 {
			// each key is asked a few times within 200 accesses and never again
			seq := make([]uint32, n)
			for i := range seq {
				seq[i] = uint32(max(0, i/4-r.IntN(50)))
			}
			return seq
		}},
	}
}

// capacities are 0.5 % to 80 % of numKeys.
var capacities = []int{75, 150, 375, 750, 1500, 3000, 6000, 12000}

// hitRatio returns the share of hits in percent when seq goes through access.
func hitRatio(seq []uint32, access func(uint32) bool) float64 {
	hits := 0
	for _, k := range seq {
		if access(k) {
			hits++
		}
	}
	return 100 * float64(hits) / float64(len(seq))
}

// TestWorkloads holds the workloads and the oracle against what is known of them.
func TestWorkloads(t *testing.T) {
	const n = 40_000
	for _, w := range workloads(n / 4) {
		r := rand.New(rand.NewPCG(1, 2))
		seq := w.seq(r, n)
		if len(seq) != n {
			t.Errorf("%s: got %d keys, want %d", w.name, len(seq), n)
		}
		lru := hitRatio(seq, newLRU(1000).access)
		fifo := hitRatio(seq, newFIFO(1000).access)
		switch w.name {
		case "loop of 2000":
			if lru != 0 || fifo != 0 {
				t.Errorf("%s beyond capacity: got LRU %.1f, FIFO %.1f, want 0", w.name, lru, fifo)
			}
			want := 100 * (1 - 2000.0/n)
			if got := hitRatio(seq, newLRU(2000).access); math.Abs(got-want) > 1e-9 {
				t.Errorf("%s within capacity: got LRU %v, want %v", w.name, got, want)
			}
		case "zipf 0.7", "zipf 0.9", "zipf 1.0", "zipf 1.2":
			if fifo > lru {
				t.Errorf("%s: got FIFO %.1f above LRU %.1f", w.name, fifo, lru)
			}
		}
	}
}
