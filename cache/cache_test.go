package cache

import (
	"context"
	"errors"
	"testing"
	"time"
)

// check walks every shard and fails t unless map, list and counters agree and the bounds hold. It
// may run beside other users of c.
func check[K comparable, V any](t testing.TB, c *Cache[K, V]) {
	t.Helper()
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		checkShardLocked(t, c, i, s)
		s.mu.Unlock()
	}
}

func checkShardLocked[K comparable, V any](t testing.TB, c *Cache[K, V], i int, s *shard[K, V]) {
	t.Helper()
	entries := 0
	var bytes int64
	for _, q := range []*queue[V]{&s.policy.recent, &s.policy.frequent} {
		n := 0
		var older *entry[V]
		for e := q.oldest; e != nil; e = e.newer {
			if e.older != older || e.queue != q {
				t.Fatalf("shard %d: key %v: got older %p and queue %p, want %p and %p", i, e.key,
					e.older, e.queue, older, q)
			}
			if own, tag := c.shard(e.key.(K)); s != own || e.tag != tag {
				t.Fatalf("shard %d: key %v belongs to another shard or its tag is wrong", i, e.key)
			}
			if got, ok := s.m.Load(e.key); !ok || got != e {
				t.Fatalf("shard %d: key %v: map has %v, queue has %p", i, e.key, got, e)
			}
			if ttl := e.expires - e.born; ttl > c.ttl || ttl < c.ttl-c.ttl/jitterShare {
				t.Fatalf("shard %d: key %v lives %v, want %v less at most 5 %%", i, e.key,
					time.Duration(ttl), time.Duration(c.ttl))
			}
			n++
			bytes += e.cost
			older = e
		}
		if q.newest != older || q.n != n {
			t.Fatalf("shard %d: got newest %p, count %d, want the end of the queue %p, %d", i,
				q.newest, q.n, older, n)
		}
		entries += n
	}
	inMap := 0
	s.m.Range(func(_, _ any) bool { inMap++; return true })
	if inMap != entries || entries > s.maxEntries {
		t.Fatalf("shard %d: queues have %d entries, map has %d, bound is %d", i, entries, inMap,
			s.maxEntries)
	}
	if s.bytes != bytes || s.maxBytes > 0 && bytes > s.maxBytes {
		t.Fatalf("shard %d: bytes are %d, queues sum to %d, bound is %d", i, s.bytes, bytes,
			s.maxBytes)
	}
	if p := &s.policy; p.target < 0 || p.target > s.maxEntries {
		t.Fatalf("shard %d: target is %d, want 0 to %d", i, p.target, s.maxEntries)
	}
}

// mustNew returns a cache of the given number of shards that ends with t.
func mustNew[K comparable, V any](t testing.TB, cfg Config[K, V], shards int) *Cache[K, V] {
	t.Helper()
	if cfg.TTL == 0 {
		cfg.TTL = defaultTTL
	}
	c, err := newCache(cfg, shards)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// value returns a load function for v.
func value[V any](v V) func(context.Context) (V, error) {
	return func(context.Context) (V, error) { return v, nil }
}

func TestLoadThenGet(t *testing.T) {
	c := mustNew(t, Config[string, int]{Capacity: 10}, 1)
	if v, ok := c.Get("a"); ok {
		t.Errorf("Get before Load: got %d, want nothing", v)
	}
	for range 2 {
		if v, err := c.Load(t.Context(), "a", value(1)); v != 1 || err != nil {
			t.Errorf("Load: got %d, %v, want 1, nil", v, err)
		}
	}
	if v, ok := c.Get("a"); v != 1 || !ok {
		t.Errorf("Get: got %d, %t, want 1, true", v, ok)
	}
	st := c.Stats()
	want := Stats{Entries: 1, Capacity: 10, Bytes: c.overhead, Misses: 2, Loads: 1}
	if st != want {
		t.Errorf("Stats: got %+v, want %+v", st, want)
	}
	if got := st.Hits(4); got != 2 {
		t.Errorf("Hits(4): got %d, want 2", got)
	}
	check(t, c)
}

func TestErrorIsNotKept(t *testing.T) {
	c := mustNew(t, Config[string, int]{Capacity: 10}, 1)
	boom := errors.New("boom")
	v, err := c.Load(t.Context(), "a", func(context.Context) (int, error) { return 7, boom })
	if v != 0 || err != boom {
		t.Errorf("failing Load: got %d, %v, want 0, boom", v, err)
	}
	if v, err := c.Load(t.Context(), "a", value(1)); v != 1 || err != nil {
		t.Errorf("next Load: got %d, %v, want 1, nil", v, err)
	}
	if st := c.Stats(); st.Failures != 1 || st.Loads != 2 {
		t.Errorf("Stats: got %+v, want 1 failure of 2 loads", st)
	}
	check(t, c)
}

func TestPurgeAndClose(t *testing.T) {
	c := mustNew(t, Config[int, int]{Capacity: 100}, 4)
	fill := func() {
		for k := range 50 {
			if _, err := c.Load(t.Context(), k, value(k)); err != nil {
				t.Fatal(err)
			}
		}
	}
	fill()
	c.Purge()
	if n := c.Len(); n != 0 {
		t.Errorf("Len after Purge: got %d, want 0", n)
	}
	check(t, c)
	fill()
	c.Close()
	c.Close()
	if n := c.Len(); n != 0 {
		t.Errorf("Len after Close: got %d, want 0", n)
	}
	fill()
	if v, ok := c.Get(7); v != 7 || !ok {
		t.Errorf("Get after Close: got %d, %t, want 7, true", v, ok)
	}
	check(t, c)
}
