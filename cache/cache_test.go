package cache

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"
)

// check fails t unless c is sound. It may run beside other users of c.
func check[K comparable, V any](t testing.TB, c *Cache[K, V]) {
	t.Helper()
	if err := c.check(); err != nil {
		t.Fatal(err)
	}
}

// check returns an error unless heaps, maps and figures agree and the bounds hold. It ends no test
// itself: that would leave the locks taken, and everything after would wait for them.
func (c *Cache[K, V]) check() error {
	entries, bytes := int64(0), int64(0)
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		defer s.mu.Unlock()
		if err := c.checkShard(s); err != nil {
			return fmt.Errorf("shard %d: %w", i, err)
		}
		for _, x := range s.heap {
			entries++
			bytes += x.e.cost
		}
	}
	// Loads that land now may have taken room for an entry that is in no shard yet.
	if n := c.room.entries.Load(); entries > n || n > c.room.maxEntries {
		return fmt.Errorf("%d entries, counted are %d, allowed %d", entries, n, c.room.maxEntries)
	}
	if n := c.room.bytes.Load(); bytes > n || c.room.maxBytes > 0 && n > c.room.maxBytes {
		return fmt.Errorf("%d bytes, counted are %d, allowed %d", bytes, n, c.room.maxBytes)
	}
	return nil
}

func (c *Cache[K, V]) checkShard(s *shard[K, V]) error {
	epoch := c.room.epoch.Load()
	for i, x := range s.heap {
		e := x.e
		if e.slot != i {
			return fmt.Errorf("key %v: in slot %d, says %d", e.key, i, e.slot)
		}
		if parent := s.heap[max(0, i-1)/children]; x.used < parent.used || x.used > epoch {
			return fmt.Errorf("slot %d: epoch %d, above it %d, now %d", i, x.used, parent.used, epoch)
		}
		if e.cost < c.overhead {
			return fmt.Errorf("key %v: %d bytes, less than the overhead", e.key, e.cost)
		}
		if got, ok := s.m.Load(e.key); !ok || got != e {
			return fmt.Errorf("key %v: the map has %v, the heap %p", e.key, got, e)
		}
		if c.shard(e.key.(K)) != s {
			return fmt.Errorf("key %v belongs to another shard", e.key)
		}
		life := time.Duration(e.expires - e.born)
		if ttl := time.Duration(c.ttl); life > ttl || life < ttl-ttl/jitterShare {
			return fmt.Errorf("key %v lives %v, want %v less at most 5 %%", e.key, life, ttl)
		}
	}
	inMap := 0
	s.m.Range(func(_, _ any) bool { inMap++; return true })
	if inMap != len(s.heap) {
		return fmt.Errorf("the heap has %d entries, the map %d", len(s.heap), inMap)
	}
	oldest := uint64(math.MaxUint64)
	if inMap > 0 {
		oldest = s.heap[0].used
	}
	if got := s.oldest.Load(); got != oldest {
		return fmt.Errorf("the oldest slot is of epoch %d, published is %d", oldest, got)
	}
	return nil
}

// held returns the entries in all shards.
func (c *Cache[K, V]) held() (held []*entry[V]) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		for _, x := range s.heap {
			held = append(held, x.e)
		}
		s.mu.Unlock()
	}
	return held
}

// mustNew returns a cache with the given number of shards.
func mustNew[K comparable, V any](t testing.TB, cfg Config[K, V], shards int) *Cache[K, V] {
	t.Helper()
	if cfg.TTL == 0 {
		cfg.TTL = defaultTTL
	}
	c, err := newCache(cfg, shards)
	if err != nil {
		t.Fatal(err)
	}
	// Not Close, which takes the locks: a test that ends in a panic may have left one taken.
	t.Cleanup(c.sweeper.close)
	return c
}

// value returns a load function for v.
func value[V any](v V) func(context.Context) (V, error) {
	return func(context.Context) (V, error) { return v, nil }
}

// fill loads n keys, each with its number as value.
func fill(t testing.TB, c *Cache[int, int], n int) {
	t.Helper()
	for k := range n {
		if v, err := c.Load(t.Context(), k, value(k)); v != k || err != nil {
			t.Fatalf("Load of %d: got %d, %v", k, v, err)
		}
	}
}

var errMiss = errors.New("not in the cache")

// get returns the value of k if it is in the cache. A miss counts as a load.
func get[K comparable, V any](c *Cache[K, V], k K) (v V, ok bool) {
	v, err := c.Load(context.Background(), k, func(context.Context) (V, error) {
		return v, errMiss
	})
	return v, err == nil
}

// TestLoad runs in a bubble, where a load that waits for ever ends with a message.
func TestLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := mustNew(t, Config[string, int]{Capacity: 10}, 1)
		if v, ok := get(c, "a"); ok {
			t.Errorf("before Load: got %d, want nothing", v)
		}
		for range 3 {
			if v, err := c.Load(t.Context(), "a", value(1)); v != 1 || err != nil {
				t.Errorf("Load: got %d, %v, want 1, nil", v, err)
			}
		}
		st := c.Stats()
		if want := (Stats{Entries: 1, Bytes: c.overhead, Misses: 2, Loads: 2}); st != want {
			t.Errorf("Stats: got %+v, want %+v", st, want)
		}
		if got := st.Hits(4); got != 2 {
			t.Errorf("Hits(4): got %d, want 2", got)
		}
		check(t, c)
	})
}

// TestHitTakesNoLock hits an entry while another holds the lock of its shard.
func TestHitTakesNoLock(t *testing.T) {
	c := mustNew(t, Config[int, int]{Capacity: 10}, 1)
	fill(t, c, 10)
	c.shards[0].mu.Lock()
	defer c.shards[0].mu.Unlock()
	done := make(chan bool, 1)
	go func() { _, ok := get(c, 3); done <- ok }()
	select {
	case ok := <-done:
		if !ok {
			t.Error("got a miss, want a hit")
		}
	case <-time.After(10 * time.Second):
		t.Error("the hit waits for the lock")
	}
}

func TestPurgeAndClose(t *testing.T) {
	c := mustNew(t, Config[int, int]{Capacity: 100}, 4)
	fill(t, c, 50)
	c.Purge()
	if st := c.Stats(); st.Entries != 0 || st.Bytes != 0 {
		t.Errorf("after Purge: got %+v, want no entry", st)
	}
	check(t, c)
	fill(t, c, 50)
	c.Close()
	c.Close()
	if n := c.Stats().Entries; n != 0 {
		t.Errorf("after Close: got %d entries, want 0", n)
	}
	fill(t, c, 50)
	if v, ok := get(c, 7); v != 7 || !ok {
		t.Errorf("load after Close: got %d, %t, want 7, true", v, ok)
	}
	check(t, c)
}
