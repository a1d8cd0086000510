package cache

import (
	"math"
	"testing"
)

// single returns a cache of one shard and a function that uses a key in it.
func single(t *testing.T, capacity int) (c *Cache[int, int], use func(k int)) {
	c = mustNew(t, Config[int, int]{Capacity: capacity}, 1)
	return c, func(k int) {
		t.Helper()
		if _, err := c.Load(t.Context(), k, value(k)); err != nil {
			t.Fatal(err)
		}
		check(t, c)
	}
}

// TestScanPassesThrough: keys that were used again outlive any number of keys that are used once,
// which an LRU of this size would not let them.
func TestScanPassesThrough(t *testing.T) {
	c, use := single(t, 100)
	for range 3 {
		for k := range 50 {
			use(k)
		}
	}
	for k := range 1000 {
		use(1000 + k)
	}
	for k := range 50 {
		if _, ok := c.Get(k); !ok {
			t.Errorf("key %d is gone after a scan", k)
		}
	}
}

// TestOldFavouritesGo: what was popular once leaves when it is not asked for any more, however
// often it was used. (A SIEVE keeps such keys for long.)
func TestOldFavouritesGo(t *testing.T) {
	c, use := single(t, 100)
	for range 100 {
		for k := range 90 {
			use(k)
		}
	}
	for i := range 4000 { // each new key four times, a few accesses apart
		use(1000 + i/20*5 + i%5)
	}
	left := 0
	for k := range 90 {
		if _, ok := c.Get(k); ok {
			left++
		}
	}
	if left > 10 {
		t.Errorf("got %d of 90 old keys left, want at most 10", left)
	}
}

// TestQueuesAdapt: recent grows while keys come back soon after they left it, and shrinks while
// those come back that left frequent. The counters of evictions pass their end on the way.
func TestQueuesAdapt(t *testing.T) {
	const capacity = 80
	c, use := single(t, capacity)
	p := &c.shards[0].policy
	p.evicted = [2]uint32{math.MaxUint32 - 20, math.MaxUint32 - 20}
	for range 3 {
		for k := range 60 {
			use(k) // fills frequent
		}
	}
	for k := range 40 {
		use(100 + k)
	}
	before := p.keep()
	if before != capacity/8 {
		t.Errorf("before any key came back: got room for %d recent keys, want %d", before,
			capacity/8)
	}
	// A circle of keys that do not fit into recent comes back just too late until recent has grown.
	for range 20 {
		for k := range 30 {
			use(1000 + k)
		}
	}
	grown := p.keep()
	if grown < before+5 {
		t.Errorf("keys that came back from recent: got room for %d recent keys, want clearly "+
			"more than %d", grown, before)
	}
	// New keys used twice at once crowd the old ones out of frequent; those are then asked for
	// again.
	for i := range 100 {
		for k := range 20 {
			use(2000 + i*20 + k)
			use(2000 + i*20 + k)
			use(k)
			use(k + 20)
		}
	}
	if got := p.keep(); got >= grown {
		t.Errorf("keys that came back from frequent: got room for %d recent keys, want less than %d", got, grown)
	}
}
