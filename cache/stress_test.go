package cache

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestStress lets 16 goroutines use a small cache, with purges and sweeps beside, and asserts that
// each answer belongs to its key and epoch, that the bounds hold at each observation, and that the
// cache is sound all along.
func TestStress(t *testing.T) {
	type key struct{ epoch, n uint32 }
	type answer struct {
		key    key
		serial uint64
	}
	ops := 1_000_000
	switch {
	case long:
		ops = 100_000_000
	case raceEnabled || testing.Short():
		ops = 200_000
	}
	cfg := Config[key, answer]{
		Capacity: 301,
		MaxBytes: 64 << 10,
		Cost:     func(k key, _ answer) int64 { return int64(k.n % 100) },
		TTL:      5 * time.Millisecond, // so that it ends all the time
	}
	c := mustNew(t, cfg, 4)
	var epoch atomic.Uint32
	var serial atomic.Uint64
	var workers sync.WaitGroup
	const goroutines = 16
	for g := range goroutines {
		workers.Go(func() {
			r := rand.New(rand.NewPCG(5, uint64(g)))
			for range ops / goroutines {
				if t.Failed() {
					return
				}
				k := key{epoch.Load(), uint32(min(r.ExpFloat64()*150, 2000))}
				v, err := c.Load(t.Context(), k, func(context.Context) (answer, error) {
					return answer{k, serial.Add(1)}, nil
				})
				if v.key != k || err != nil {
					t.Errorf("key %v: got the answer of %v, %v", k, v.key, err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { workers.Wait(); close(done) }()
	for i, working := 0, true; working; i++ {
		select {
		case <-done:
			working = false
		default:
		}
		if st := c.Stats(); st.Entries > cfg.Capacity || st.Bytes > cfg.MaxBytes {
			t.Errorf("bounds: got %+v", st)
		}
		if err := c.check(); err != nil { // not check: the workers still use t
			t.Error(err)
		}
		if i%4 == 0 {
			c.sweep()
		}
		if i%16 == 0 {
			epoch.Add(1)
			c.Purge()
		}
	}
	if st := c.Stats(); st.Loads != serial.Load() {
		t.Errorf("got %+v, want %d loads", st, serial.Load())
	}
	for i := range c.shards {
		if n := len(c.shards[i].flights); n != 0 {
			t.Errorf("shard %d: got %d flights left, want none", i, n)
		}
	}
	if n, counted := len(c.held()), c.Stats().Entries; n != counted {
		t.Errorf("got %d entries, counted are %d", n, counted)
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
			// every four goroutines have one order, so that they meet at the same keys
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
