package cache

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
)

// long asks for the full simulation: half a million look-ups per workload, attacks at full scale,
// and the table of policies in the package's doc.
//
//	CACHE_LONG=1 go test -run 'HitRatio|Attacks' -v -timeout 2h ./cache
var long = os.Getenv("CACHE_LONG") != ""

// config returns that of a cache for asks.
func (l limits) config() Config[uint32, int64] {
	cfg := Config[uint32, int64]{Capacity: l.entries, MaxBytes: l.bytes}
	if l.bytes > 0 {
		overhead := entryOverhead[uint32, int64]() // in the simulations an ask counts as its bytes
		cfg.Cost = func(_ uint32, bytes int64) int64 { return bytes - overhead }
	}
	return cfg
}

// access looks a up in c and reports a hit.
func access(t testing.TB, c *Cache[uint32, int64], a ask) bool {
	hit := true
	_, _ = c.Load(t.Context(), a.key, func(context.Context) (int64, error) {
		hit = false
		return a.bytes, nil
	})
	return hit
}

// asPolicy returns a real cache as a policy, with as many shards as New chooses if shards is 0.
func asPolicy(t testing.TB, l limits, shards int) policy {
	if shards == 0 {
		shards = numShards(l.entries)
	}
	c := mustNew(t, l.config(), shards)
	return func(a ask) bool { return access(t, c, a) }
}

// A comparison holds the cache, and in the full simulation other policies, against exact LRU.
type comparison struct {
	t          *testing.T
	names      []string
	policies   []func(limits) policy
	sum, worst []float64 // of each policy, in points above exact LRU
	runs       float64
}

func newComparison(t *testing.T) *comparison {
	c := &comparison{t: t, names: []string{"cache"}, policies: []func(limits) policy{
		func(l limits) policy { return asPolicy(t, l, 0) },
	}}
	if long {
		c.names = append(c.names, "CLOCK", "SIEVE", "FIFO")
		c.policies = append(c.policies, clock, sieve, fifo)
	}
	c.sum, c.worst = make([]float64, len(c.names)), make([]float64, len(c.names))
	return c
}

// compare fails the test if the cache is more than a point below exact LRU.
func (c *comparison) compare(name string, l limits, asks []ask) {
	exact := hitRatio(asks, exactLRU(l))
	row := fmt.Sprintf("%-31s %5d: LRU %5.1f", name, l.entries, exact)
	c.runs++
	for i, p := range c.policies {
		diff := hitRatio(asks, p(l)) - exact
		row += fmt.Sprintf(", %s %+5.1f", c.names[i], diff)
		c.sum[i] += diff
		c.worst[i] = min(c.worst[i], diff)
		if i == 0 && diff < -1 {
			c.t.Errorf("%s, %+v: got %.2f points below exact LRU, want at most 1", name, l, -diff)
		}
	}
	c.t.Log(row)
}

func (c *comparison) end() {
	for i, name := range c.names {
		c.t.Logf("%-9s mean %+.2f, worst %+.2f", name, c.sum[i]/c.runs, c.worst[i])
	}
}

// TestHitRatio compares the cache with exact LRU in the service of regular clients.
func TestHitRatio(t *testing.T) {
	if raceEnabled {
		t.Skip("a cache is simulated on one goroutine: nothing to race")
	}
	n, phase, step := 50_000, 20_000, 1
	switch {
	case long:
		n, phase = 500_000, 50_000
	case testing.Short():
		n, step = 25_000, 3
	}
	c := newComparison(t)
	for _, w := range workloads(phase) {
		asks := w.asks(n, 0)
		for i := 0; i < len(capacities); i += step {
			c.compare(w.name, limits{entries: capacities[i]}, asks)
		}
	}
	c.end()
}

// TestVictims: each entry that is evicted was last used in an epoch no later than that of any entry
// that stays, in whatever shard.
func TestVictims(t *testing.T) {
	for _, l := range []limits{
		{1, 0}, {2, 0}, {3, 0}, {4, 0}, {7, 0}, {75, 0}, {700, 0}, {5000, 1 << 20}, {300, 1 << 20},
	} {
		for _, shards := range []int{1, 4} {
			c := mustNew(t, l.config(), shards)
			used := make(map[uint32]uint64) // the epoch of the last use of all that is held
			r := rand.New(rand.NewPCG(2, uint64(l.entries)))
			for i := range 5000 {
				// some keys are popular
				k := min(r.ExpFloat64()*float64(l.entries), 1e9)
				a := ask{key: uint32(k), bytes: 500 + int64(k)%7*1000}
				evicted, last := uint64(0), uint64(math.MaxUint64)
				if !access(t, c, a) {
					for k, epoch := range used {
						if c.shard(k).find(k) == nil {
							evicted = max(evicted, epoch)
							delete(used, k)
						} else {
							last = min(last, epoch)
						}
					}
				}
				if evicted > last {
					t.Fatalf("%+v, %d shards: look-up %d, of %d, evicts what was used in epoch %d, "+
						"and not what was used in epoch %d", l, shards, i, a.key, evicted, last)
				}
				used[a.key] = c.room.epoch.Load()
			}
		}
	}
}

// TestEvictionWorksLittle: if all entries have been used since an eviction last looked at them, the
// next one looks at some of them only.
func TestEvictionWorksLittle(t *testing.T) {
	const n = 8 * maxRefresh
	c := mustNew(t, Config[int, int]{Capacity: n}, 4)
	fill(t, c, n)
	c.room.epoch.Add(1) // as if others had come and gone, so that the next use of each is news
	fill(t, c, n)
	epoch := c.room.epoch.Load()
	fill(t, c, n+1)
	looked := 0
	for i := range c.shards {
		for _, x := range c.shards[i].heap {
			if x.used == epoch {
				looked++
			}
		}
	}
	if looked == 0 || looked > maxRefresh { // changing from shard to shard is work, too
		t.Errorf("got %d entries looked at, want at most %d", looked, maxRefresh)
	}
	check(t, c)
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
