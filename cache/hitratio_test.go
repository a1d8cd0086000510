package cache

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
)

// long asks for the full simulation: a million accesses, and the table of policies that the choice
// rests on.
//
//	CACHE_LONG=1 go test -run HitRatio -v -timeout 1h ./cache
var long = os.Getenv("CACHE_LONG") != ""

// simulated returns a step of a simulation on a real cache with that many shards, or with as many
// as New chooses if shards is 0.
func simulated(t testing.TB, capacity, shards int) func(uint32) bool {
	if shards == 0 {
		shards = numShards(capacity, 0)
	}
	c := mustNew(t, Config[uint32, struct{}]{Capacity: capacity}, shards)
	load := value(struct{}{})
	return func(k uint32) bool {
		if _, ok := c.Get(k); ok {
			return true
		}
		if _, err := c.Load(t.Context(), k, load); err != nil {
			t.Fatal(err)
		}
		return false
	}
}

// TestHitRatio compares the cache with exact LRU over all workloads and capacities: nowhere more
// than a point below, two points better on average, and five better on a fixed zipf popularity at
// small capacities.
func TestHitRatio(t *testing.T) {
	if raceEnabled {
		t.Skip("a cache is simulated on one goroutine: nothing to race")
	}
	n, phase := 60_000, 20_000
	if long {
		n, phase = 1_000_000, 50_000
	}
	policies := []struct {
		name string
		new  func(capacity int) func(uint32) bool
	}{
		{"cache", func(n int) func(uint32) bool { return simulated(t, n, 0) }},
		{"unsharded", func(n int) func(uint32) bool { return simulated(t, n, 1) }},
		{"clock", func(n int) func(uint32) bool { return newMarking(n, false).access }},
		{"sieve", func(n int) func(uint32) bool { return newMarking(n, true).access }},
		{"fifo", func(n int) func(uint32) bool { return newFIFO(n).access }},
	}
	if !long {
		policies = policies[:1]
	}
	var (
		mu    sync.Mutex
		sums  = make([]float64, len(policies))
		worst = make([]float64, len(policies))
		runs  float64
	)
	t.Run("workloads", func(t *testing.T) {
		for _, w := range workloads(phase) {
			t.Run(w.name, func(t *testing.T) {
				t.Parallel()
				seq := w.seq(rand.New(rand.NewPCG(0, 1)), n)
				for _, capacity := range capacities {
					exact := hitRatio(seq, newLRU(capacity).access)
					row := fmt.Sprintf("capacity %5d: LRU %5.1f", capacity, exact)
					for i, p := range policies {
						diff := hitRatio(seq, p.new(capacity)) - exact
						row += fmt.Sprintf(", %s %+5.1f", p.name, diff)
						mu.Lock()
						sums[i] += diff
						worst[i] = min(worst[i], diff)
						runs++
						mu.Unlock()
						if i > 0 {
							continue
						}
						if diff < -1 {
							t.Errorf("capacity %d: got %.2f points below exact LRU, want at most 1",
								capacity, -diff)
						}
						if small := capacity <= numKeys/40; small && diff < 5 &&
							(w.name == "zipf 0.9" || w.name == "zipf 1.0") {
							t.Errorf("capacity %d: got %+.2f points on exact LRU, want at least 5",
								capacity, diff)
						}
					}
					t.Log(row)
				}
			})
		}
	})
	runs /= float64(len(policies))
	for i, p := range policies {
		t.Logf("%-9s mean %+.2f, worst %+.2f points on exact LRU", p.name, sums[i]/runs, worst[i])
	}
	if mean := sums[0] / runs; mean < 2 {
		t.Errorf("got %+.2f points on exact LRU on average, want at least 2", mean)
	}
}
