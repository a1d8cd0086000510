package cache

import (
	"math/rand/v2"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxShare    = 8       // one entry may take an eighth of its shard's bytes
	maxCost     = 1 << 48 // a larger Cost counts as this, which keeps sums far from overflow
	jitterShare = 20      // an entry may live a twentieth of the TTL shorter
	youngShare  = 4       // hits do not count in the newest quarter of the list
)

// mapOverhead is what an entry takes outside itself: a leaf of 48 bytes in the map and its part of
// the map's inner nodes. TestBytesMatchHeap compares the sum with the heap.
const mapOverhead = 112

// entryOverhead returns the bytes of an entry beyond Cost.
func entryOverhead[K comparable, V any]() int64 {
	return mapOverhead + int64(reflect.TypeFor[entry[V]]().Size()+reflect.TypeFor[K]().Size())
}

// An entry is a value in a shard. Readers need no lock: born, expires, key and value never change,
// so an entry stays valid for a reader that holds it while it is evicted.
type entry[V any] struct {
	visited atomic.Bool   // used since it was last put at the new end of the list
	mature  atomic.Uint64 // its hits count once shard.pushes has reached this

	born    int64 // when its load began, on the cache's clock
	expires int64 // it is not served then or later
	cost    int64 // bytes, overhead included
	key     any   // a K: the same interface value that the map holds, not a second copy
	value   V

	older, newer *entry[V] // guarded by the shard's lock
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

func (e *entry[V]) unlink() {
	e.older.newer, e.newer.older = e.newer, e.older
	e.older, e.newer = nil, nil
}

// A shard is one part of the cache, with its own map, lock, bounds and list.
//
// The list is a CLOCK: entries stand in the order in which they were put at its new end. A hit only
// marks its entry. Eviction looks at the oldest entry: if it is marked, it loses its mark and goes
// to the new end, else it is removed. A hit does not count while its entry is in the newest quarter
// of the list. Otherwise a client that asks for everything twice in a row would give all its
// entries a second chance, and they would displace those that are really popular.
type shard[K comparable, V any] struct {
	m sync.Map // K to *entry[V]; written only under mu

	// Misses write what follows. It must not share a cache line with what all hits read.
	_ [64]byte

	pushes atomic.Uint64 // entries put at the new end so far; written only under mu

	mu         sync.Mutex // guards all below
	ends       entry[V]   // closes the list to a ring: newer is the oldest entry, older the newest
	stats      Stats
	maxEntries int
	maxBytes   int64 // 0: no bound
	flights    map[K]*flight[V]

	_ [64]byte
}

func (s *shard[K, V]) init(maxEntries int, maxBytes int64) {
	s.maxEntries, s.maxBytes = maxEntries, maxBytes
	s.ends.older, s.ends.newer = &s.ends, &s.ends
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

// use reports whether e may be served at now, and marks it if the hit counts. It does not write
// what is marked already, so processors share the cache line of a popular entry.
func (s *shard[K, V]) use(e *entry[V], now int64) bool {
	if e.expired(now) {
		return false
	}
	if !e.visited.Load() && s.pushes.Load() >= e.mature.Load() {
		e.visited.Store(true)
	}
	return true
}

// insertLocked adds the value of f for k, which is not in the map, and returns its entry, or nil if
// the value is not kept. It makes room first, so the bounds hold at every moment.
func (s *shard[K, V]) insertLocked(k K, f *flight[V], cost, ttl, now int64) *entry[V] {
	e := &entry[V]{
		born:    f.born,
		expires: f.born + ttl - rand.Int64N(ttl/jitterShare+1),
		cost:    cost,
		key:     k,
		value:   f.item.Value,
	}
	if e.expired(now) || s.maxBytes > 0 && cost > s.maxBytes/maxShare {
		return nil
	}
	for s.stats.Entries == s.maxEntries || s.maxBytes > 0 && s.stats.Bytes > s.maxBytes-cost {
		s.evictLocked(now)
	}
	s.stats.Entries++
	s.stats.Bytes += cost
	s.pushLocked(e)
	s.m.Store(e.key, e) // last: a hit reads what pushLocked sets
	return e
}

// pushLocked puts e, which is in no list, at the new end.
func (s *shard[K, V]) pushLocked(e *entry[V]) {
	// The quarter is of what the shard holds now, since bytes may bind long before maxEntries. It
	// is rounded up: in a very small cache too, a hit right after the load does not count.
	young := (s.stats.Entries + youngShare - 1) / youngShare
	e.mature.Store(s.pushes.Add(1) + uint64(young))
	e.older, e.newer = s.ends.older, &s.ends
	e.older.newer, s.ends.older = e, e
}

// evictLocked removes one entry; there must be one. Hits may set marks as fast as it clears them,
// so after a full round it takes the oldest entry as it is.
func (s *shard[K, V]) evictLocked(now int64) {
	for range s.stats.Entries {
		e := s.ends.newer
		if e.expired(now) || !e.visited.Load() {
			break
		}
		e.unlink()
		s.pushLocked(e)
		e.visited.Store(false)
	}
	if e := s.ends.newer; e.expired(now) {
		s.expireLocked(e)
	} else {
		s.stats.Evictions++
		s.removeLocked(e)
	}
}

// sweepLocked removes the expired entries and reports whether any entry is left.
func (s *shard[K, V]) sweepLocked(now int64) (left bool) {
	for e := s.ends.newer; e != &s.ends; {
		next := e.newer
		if e.expired(now) {
			s.expireLocked(e)
		}
		e = next
	}
	return s.stats.Entries > 0
}

func (s *shard[K, V]) expireLocked(e *entry[V]) {
	s.stats.Expirations++
	s.removeLocked(e)
}

func (s *shard[K, V]) removeLocked(e *entry[V]) {
	s.m.Delete(e.key)
	e.unlink()
	s.stats.Entries--
	s.stats.Bytes -= e.cost
}

// purge removes the entries and the flights. A flight that is not in the map when it lands is not
// kept.
func (s *shard[K, V]) purge() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.m.Clear()
	s.ends.older, s.ends.newer = &s.ends, &s.ends
	s.stats.Entries, s.stats.Bytes = 0, 0
	clear(s.flights)
}
