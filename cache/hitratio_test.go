package cache

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
)

// long asks for the full simulation: half a million look-ups per workload, attacks at full scale,
// and the table of policies in the package's doc.
//
//	CACHE_LONG=1 go test -run HitRatio -v -timeout 1h ./cache
var long = os.Getenv("CACHE_LONG") != ""

// asPolicy returns a real cache as a policy, with as many shards as New chooses if shards is 0.
func asPolicy(t testing.TB, l limits, shards int) policy {
	if shards == 0 {
		shards = numShards(l.entries, l.bytes)
	}
	cfg := Config[uint32, int64]{Capacity: l.entries, MaxBytes: l.bytes}
	if l.bytes > 0 {
		overhead := entryOverhead[uint32, int64]() // in the simulations an ask counts as its bytes
		cfg.Cost = func(_ uint32, bytes int64) int64 { return bytes - overhead }
	}
	c := mustNew(t, cfg, shards)
	return func(a ask) bool {
		hit := true
		_, _ = c.Load(t.Context(), a.key, func(context.Context) (int64, error) {
			hit = false
			return a.bytes, nil
		})
		return hit
	}
}

// TestHitRatio compares the cache with exact LRU: nowhere more than a point below, but where a
// workload says otherwise.
func TestHitRatio(t *testing.T) {
	if raceEnabled {
		t.Skip("a cache is simulated on one goroutine: nothing to race")
	}
	names := []string{"cache", "unsharded", "CLOCK", "SIEVE", "FIFO"}
	policies := []func(limits) policy{
		func(l limits) policy { return asPolicy(t, l, 0) }, lateClock, clock, sieve, fifo,
	}
	n, phase, scale, step := 50_000, 20_000, 16, 1
	switch {
	case long:
		n, phase, scale = 500_000, 50_000, 1
	case testing.Short():
		n, policies, step = 25_000, policies[:1], 3
	default:
		policies = policies[:1]
	}
	var sums, worst []float64
	runs := 0.0
	begin := func() {
		sums, worst, runs = make([]float64, len(policies)), make([]float64, len(policies)), 0
	}
	end := func() {
		for i := range policies {
			t.Logf("%-9s mean %+.2f, worst %+.2f", names[i], sums[i]/runs, worst[i])
		}
	}
	compare := func(w workload, l limits, asks []ask) {
		exact := hitRatio(asks, exactLRU(l))
		row := fmt.Sprintf("%-31s %5d: LRU %5.1f", w.name, l.entries, exact)
		runs++
		for i, p := range policies {
			diff := hitRatio(asks, p(l)) - exact
			row += fmt.Sprintf(", %s %+5.1f", names[i], diff)
			sums[i] += diff
			worst[i] = min(worst[i], diff)
			if i == 0 && diff < -w.loss {
				t.Errorf("%s, %+v: got %.2f points below exact LRU, want at most %v", w.name, l,
					-diff, w.loss)
			}
		}
		t.Log(row)
	}
	begin()
	for _, w := range workloads(phase) {
		asks := w.asks(n, 0)
		for i := 0; i < len(capacities); i += step {
			compare(w, limits{entries: capacities[i]}, asks)
		}
	}
	end()
	begin()
	for _, bytes := range []int64{1000, 5000} {
		attacks, l := attacks(scale)
		for _, w := range attacks {
			w.name += fmt.Sprintf(", %d bytes", bytes)
			compare(w, l, w.asks(2*n, bytes))
		}
	}
	end()
}

// TestPolicy holds a cache of one shard against the simulation of its policy: each look-up hits in
// both or in neither.
func TestPolicy(t *testing.T) {
	for _, l := range []limits{
		{1, 0}, {2, 0}, {3, 0}, {4, 0}, {7, 0}, {75, 0}, {1500, 0}, {5000, 1 << 20}, {300, 1 << 20},
	} {
		want, got := lateClock(l), asPolicy(t, l, 1)
		r := rand.New(rand.NewPCG(2, uint64(l.entries)))
		for i := range 20_000 {
			// some keys are popular, and many are asked for again soon
			k := min(r.ExpFloat64()*float64(l.entries), 1e9)
			a := ask{key: uint32(k), bytes: 500 + int64(k)%7*1000}
			for range 1 + r.IntN(2) {
				if w, g := want(a), got(a); w != g {
					t.Fatalf("%+v: look-up %d, of %d: got a hit: %t, want %t", l, i, a.key, g, w)
				}
			}
		}
	}
}

// TestHitRatioOfManyGoroutines: the hit ratio does not depend on how many goroutines share the
// work, since no hit is dropped.
func TestHitRatioOfManyGoroutines(t *testing.T) {
	n := 200_000
	if raceEnabled {
		n = 50_000
	}
	const goroutines = 16
	l := limits{entries: 1500}
	asks := workloads(n)[1].asks(n, 0)
	want := hitRatio(asks, asPolicy(t, l, 4))

	access := asPolicy(t, l, 4)
	var hits, next atomic.Int64 // the goroutines share one order, as far as they can
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				if access(asks[i]) {
					hits.Add(1)
				}
			}
		})
	}
	wg.Wait()
	got := 100 * float64(hits.Load()) / float64(n)
	if d := got - want; d < -0.5 || d > 0.5 {
		t.Errorf("got a hit ratio of %.2f %% with %d goroutines, %.2f %% with one, want within 0.5",
			got, goroutines, want)
	}
}
