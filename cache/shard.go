package cache

import (
	"reflect"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxShare    = 8       // one entry may take an eighth of the bytes
	maxCost     = 1 << 48 // a larger Cost counts as this, which keeps sums far from overflow
	jitterShare = 20      // an entry may live a twentieth of the TTL shorter

	// maxRefresh bounds the work of one eviction, some 50 us. It matters after a long time without
	// misses, when all entries have been used since they were last looked at.
	maxRefresh = 256
)

// mapOverhead is what an entry takes outside itself: a leaf of 48 bytes in the map and its part of
// the map's inner nodes. TestBytesMatchHeap compares the sum with the heap.
const mapOverhead = 112

// entryOverhead returns the bytes of an entry beyond Cost.
func entryOverhead[K comparable, V any]() int64 {
	return mapOverhead + int64(reflect.TypeFor[entry[V]]().Size()+reflect.TypeFor[slot[V]]().Size()+
		reflect.TypeFor[K]().Size())
}

// An entry is a value in a shard. Readers need no lock: born, expires, key and value never change,
// so an entry stays valid for a reader that holds it while it is evicted.
type entry[V any] struct {
	used atomic.Uint64 // the epoch of its last use

	born    int64 // when its load began, on the cache's clock
	expires int64 // it is not served then or later
	cost    int64 // bytes, overhead included
	key     any   // a K: the same interface value that the map holds, not a second copy
	value   V

	slot int // its place in the heap; guarded by the shard's lock
}

func (e *entry[V]) expired(now int64) bool { return now >= e.expires }

func (e *entry[V]) item(now int64) Item[V] {
	return Item[V]{e.value, time.Duration(now - e.born), time.Duration(e.expires - now), false}
}

// hit is item for a caller that has loaded nothing.
func (e *entry[V]) hit(now int64) Item[V] {
	it := e.item(now)
	it.Hit = true
	return it
}

// A shard is one part of the cache, with its own map and lock.
//
// Its heap has the entry on top whose last use is longest ago. A hit takes no lock, so it cannot
// move its entry in the heap: it only writes the epoch into the entry. Eviction looks at the top.
// If that entry has been used since, it sinks to where it belongs and the next one is looked at;
// else it is removed.
type shard[K comparable, V any] struct {
	m sync.Map // K to *entry[V]; written only under mu

	// Misses write what follows. It must not share a cache line with what all hits read.
	_ [64]byte

	oldest atomic.Uint64 // heap[0].used, or the largest number; written only under mu

	mu      sync.Mutex // guards all below
	heap    []slot[V]
	stats   Stats // without Entries and Bytes
	flights map[K]*flight[V]

	_ [64]byte
}

func (s *shard[K, V]) init() {
	s.publish()
	s.flights = make(map[K]*flight[V])
}

// find returns the entry of k, which may have expired, or nil.
func (s *shard[K, V]) find(k K) *entry[V] {
	v, ok := s.m.Load(k)
	if !ok {
		return nil
	}
	return v.(*entry[V])
}

// use reports whether e may be served at now, and notes the use. Most hits find their epoch noted
// already and write nothing, so processors share the cache line of a popular entry.
func (c *Cache[K, V]) use(e *entry[V], now int64) bool {
	if e.expired(now) {
		return false
	}
	if epoch := c.room.epoch.Load(); e.used.Load() != epoch {
		e.used.Store(epoch)
	}
	return true
}

// insertLocked adds the value of f for k, which is not in the map. The caller has made room.
func (c *Cache[K, V]) insertLocked(s *shard[K, V], k K, f *flight[V],
	cost, expires int64) *entry[V] {
	e := &entry[V]{born: f.born, expires: expires, cost: cost, key: k, value: f.item.Value}
	e.used.Store(c.room.tick())
	s.push(e)
	s.m.Store(e.key, e)
	return e
}

// evictLocked removes the entry whose last use is longest ago. It removes none and returns false if
// another shard, where the oldest slot is of epoch others, may have an older one. It works through
// at most *work slots; after that it takes the top as it is.
func (c *Cache[K, V]) evictLocked(s *shard[K, V], others uint64, now int64, work *int) bool {
	for len(s.heap) > 0 && (s.heap[0].used <= others || *work <= 0) {
		top := s.heap[0]
		if top.e.expired(now) {
			c.expireLocked(s, top.e)
			return true
		}
		used := top.e.used.Load()
		if used <= top.used || *work <= 0 {
			s.stats.Evictions++
			c.removeLocked(s, top.e)
			return true
		}
		*work--
		s.down(0, slot[V]{used, top.e})
		s.publish()
	}
	*work-- // so that the search ends whatever others do meanwhile
	return false
}

// sweepLocked removes the expired entries and reports whether any entry is left.
func (c *Cache[K, V]) sweepLocked(s *shard[K, V], now int64) (left bool) {
	kept, bytes := s.heap[:0], int64(0)
	for _, x := range s.heap {
		if x.e.expired(now) {
			s.m.Delete(x.e.key)
			bytes += x.e.cost
		} else {
			kept = append(kept, x)
		}
	}
	if expired := len(s.heap) - len(kept); expired > 0 {
		clear(s.heap[len(kept):])
		s.heap = kept
		s.order()
		s.stats.Expirations += uint64(expired)
		c.room.give(int64(expired), bytes)
	}
	return len(s.heap) > 0
}

func (c *Cache[K, V]) expireLocked(s *shard[K, V], e *entry[V]) {
	s.stats.Expirations++
	c.removeLocked(s, e)
}

func (c *Cache[K, V]) removeLocked(s *shard[K, V], e *entry[V]) {
	s.m.Delete(e.key)
	s.remove(e)
	c.room.give(1, e.cost)
}

// purge removes the entries and the flights. A flight that is not in the map when it lands is not
// kept.
func (c *Cache[K, V]) purge(s *shard[K, V]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	bytes := int64(0)
	for _, x := range s.heap {
		bytes += x.e.cost
	}
	s.m.Clear()
	c.room.give(int64(len(s.heap)), bytes)
	s.heap = nil
	s.publish()
	clear(s.flights)
}
