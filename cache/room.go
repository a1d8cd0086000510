package cache

import (
	"math"
	"sync/atomic"
)

// epochs is how finely the order of uses is kept: an epoch ends after as many inserts as a 256th of
// the entries held.
const epochs = 256

// A room is what the shards share: the bounds, what is held, and a clock that counts inserts. The
// bounds belong to the whole cache, since the hash spreads keys unevenly: a shard with bounds of
// its own would evict while others have room, and a loop that just fits would not.
type room struct {
	maxEntries int64
	maxBytes   int64 // 0: no bound

	// epoch is read by all hits. It shares no cache line with what each miss writes.
	epoch atomic.Uint64
	_     [64]byte

	entries, bytes atomic.Int64 // of entries that are in a shard, or are about to be
	inserts        atomic.Int64 // in this epoch
	_              [64]byte
}

// take counts an entry of cost bytes and reports whether the bounds allow it.
func (r *room) take(cost int64) bool {
	if !add(&r.entries, 1, r.maxEntries) {
		return false
	}
	if !add(&r.bytes, cost, r.maxBytes) {
		r.entries.Add(-1)
		return false
	}
	return true
}

// add adds d to n, unless more than limit would result. A limit of 0 is none.
func add(n *atomic.Int64, d, limit int64) bool {
	for {
		old := n.Load()
		if limit > 0 && old > limit-d {
			return false
		}
		if n.CompareAndSwap(old, old+d) {
			return true
		}
	}
}

// give ends what take began.
func (r *room) give(entries, bytes int64) {
	r.entries.Add(-entries)
	r.bytes.Add(-bytes)
}

// tick counts an insert and returns the epoch in which it falls.
func (r *room) tick() uint64 {
	if r.inserts.Add(1) > r.entries.Load()/epochs {
		r.inserts.Store(0)
		return r.epoch.Add(1)
	}
	return r.epoch.Load()
}

// makeRoom takes room for an entry of cost bytes that belongs to shard home, and evicts others for
// it. It reports whether the entry may be inserted.
func (c *Cache[K, V]) makeRoom(home *shard[K, V], cost, now int64) bool {
	if c.room.maxBytes > 0 && cost > c.room.maxBytes/maxShare {
		return false
	}
	for !c.room.take(cost) {
		if !c.evict(home, now) {
			return false // other loads that land now have taken all of it
		}
	}
	return true
}

// evict removes the entry whose last use is longest ago and reports whether there was one. Among
// shards that are equal in this it takes home, so that processors seldom meet at one.
func (c *Cache[K, V]) evict(home *shard[K, V], now int64) bool {
	for work := maxRefresh; ; {
		s, least, others := home, home.oldest.Load(), uint64(math.MaxUint64)
		for i := range c.shards {
			other := &c.shards[i]
			switch used := other.oldest.Load(); {
			case other == home:
			case used < least:
				s, least, others = other, used, least
			default:
				others = min(others, used)
			}
		}
		if least == math.MaxUint64 {
			return false
		}
		s.mu.Lock()
		evicted := c.evictLocked(s, others, now, &work)
		s.mu.Unlock()
		if evicted {
			return true
		}
	}
}
