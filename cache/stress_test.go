package cache

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// stressOps is the number of operations of the stress tests.
func stressOps() int {
	switch {
	case long:
		return 100_000_000
	case raceEnabled:
		return 200_000
	}
	return 1_000_000
}

// TestStress lets 16 goroutines at a small cache, with purges and sweeps beside, and asserts for
// each answer that it belongs to its key and epoch, at each observation that the bounds hold, and
// all along that the shards are sound.
func TestStress(t *testing.T) {
	type key struct{ epoch, n uint32 }
	type answer struct {
		key    key
		serial uint64
	}
	c := mustNew(t, Config[key, answer]{
		Capacity: 301,
		MaxBytes: 64 << 10,
		Cost:     func(k key, _ answer) int64 { return int64(k.n % 100) },
		TTL:      5 * time.Millisecond, // so that it ends all the time
	}, 4)
	var epoch atomic.Uint32
	var serial, lookups atomic.Uint64
	var workers sync.WaitGroup
	const goroutines = 16
	for g := range goroutines {
		workers.Go(func() {
			r := rand.New(rand.NewPCG(5, uint64(g)))
			for range stressOps() / goroutines {
				now := epoch.Load()
				k := key{now, uint32(min(r.ExpFloat64()*150, 2000))}
				lookups.Add(1)
				v, ok := c.Get(k)
				if !ok {
					lookups.Add(1)
					var err error
					v, err = c.Load(t.Context(), k, func(context.Context) (answer, error) {
						return answer{k, serial.Add(1)}, nil
					})
					if err != nil {
						t.Errorf("Load: %v", err)
						return
					}
				}
				if v.key != k {
					t.Errorf("got the answer of %v for %v", v.key, k)
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { workers.Wait(); close(done) }()
	for i := 0; ; i++ {
		select {
		case <-done:
		default:
			st := c.Stats()
			if st.Entries > st.Capacity || st.Bytes > st.MaxBytes || c.Len() > st.Capacity {
				t.Fatalf("bounds: got %+v", st)
			}
			if i%16 == 0 {
				check(t, c)
			}
			if i%64 == 0 {
				c.sweep()
			}
			if i%256 == 0 {
				epoch.Add(1)
				c.Purge()
			}
			continue
		}
		break
	}
	check(t, c)
	st := c.Stats()
	if st.Loads != serial.Load() || st.Misses > lookups.Load() {
		t.Errorf("got %+v, want %d loads and at most %d misses", st, serial.Load(), lookups.Load())
	}
	for i := range c.shards {
		if n := len(c.shards[i].flights); n != 0 {
			t.Errorf("shard %d: got %d flights left, want none", i, n)
		}
	}
}

// TestOneLoadPerMiss: in a cache from which nothing leaves, every key is loaded once, however the
// goroutines meet.
func TestOneLoadPerMiss(t *testing.T) {
	const keys, goroutines = 2000, 16
	c := mustNew(t, Config[int, int]{Capacity: 2 * keys}, 4)
	var loads [keys]atomic.Int32
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			// neighbours in the order meet at the same keys
			for _, k := range rand.New(rand.NewPCG(6, uint64(g/4))).Perm(keys) {
				v, err := c.Load(t.Context(), k, func(context.Context) (int, error) {
					loads[k].Add(1)
					return k, nil
				})
				if v != k || err != nil {
					t.Errorf("key %d: got %d, %v", k, v, err)
				}
			}
		})
	}
	wg.Wait()
	for k := range loads {
		if n := loads[k].Load(); n != 1 {
			t.Errorf("key %d: got %d loads, want 1", k, n)
		}
	}
	check(t, c)
}

// TestHitRatioOfManyGoroutines: the hit ratio does not depend on how many goroutines share the
// work, since no hit is dropped.
func TestHitRatioOfManyGoroutines(t *testing.T) {
	n := 400_000
	if raceEnabled {
		n = 100_000
	}
	const capacity, goroutines = 1500, 16
	seq := workloads(n)[1].seq(rand.New(rand.NewPCG(7, 7)), n)
	alone := hitRatio(seq, simulated(t, capacity, 4))

	access := simulated(t, capacity, 4)
	var hits atomic.Int64
	var next atomic.Int64 // the goroutines share one order, as far as they can
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				if access(seq[i]) {
					hits.Add(1)
				}
			}
		})
	}
	wg.Wait()
	together := 100 * float64(hits.Load()) / float64(n)
	if d := together - alone; d < -0.5 || d > 0.5 {
		t.Errorf("got a hit ratio of %.2f %% with %d goroutines, %.2f %% with one, want within 0.5",
			together, goroutines, alone)
	}
	t.Logf("%d goroutines %.2f %%, one %.2f %%", goroutines, together, alone)
}
