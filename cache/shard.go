package cache

import (
	"math/rand/v2"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
)

// maxShare is the part of a shard's bytes that one entry may take: one in eight.
const maxShare = 8

// maxCost is what a larger Cost counts as; it keeps sums far from overflow.
const maxCost = 1 << 48

// jitterShare is the part of the TTL by which an entry may live shorter: one in twenty.
const jitterShare = 20

// An entry is never changed after it is published in the map, but for visited
// and, under the shard's lock, its links. So it needs no lock to be read, and
// a reader that still holds one after its eviction does no harm.
type entry[V any] struct {
	visited atomic.Bool // hit since the policy last looked
	born    int64       // when its load began, on the cache's clock
	expires int64       // not served then or later
	cost    int64       // bytes, overhead included
	key     any         // a K: the very interface that the map holds, not a second copy
	value   V

	older, newer *entry[V] // neighbours in the shard's list
}

// hit reports whether e may be served at now, and marks it if so. It writes
// only where the mark is clear: a hot entry's cache line stays shared.
func (e *entry[V]) hit(now int64) bool {
	if now >= e.expires {
		return false
	}
	if !e.visited.Load() {
		e.visited.Store(true)
	}
	return true
}

func (e *entry[V]) item(now int64) Item[V] {
	return Item[V]{Value: e.value, Age: time.Duration(now - e.born), Left: time.Duration(e.expires - now)}
}

// mapOverhead is what sync.Map takes for one entry: a leaf of 56 bytes in a
// 64-byte class and its part of the inner nodes, measured by TestBytesMatchHeap.
const mapOverhead = 128

// entryOverhead returns the bytes of an entry beyond Cost.
func entryOverhead[K comparable, V any]() int64 {
	return mapOverhead + int64(reflect.TypeFor[entry[V]]().Size()+reflect.TypeFor[K]().Size())
}

// A shard is one part of the cache: its own map, lock, bounds and policy.
//
// The policy is second chance (CLOCK as a queue): a hit sets visited; eviction
// looks at the oldest entry, and one that was visited loses the mark and goes
// to the young end instead.
type shard[K comparable, V any] struct {
	m sync.Map // K to *entry[V]; written under mu alone

	// Look-ups read the words above; the lock and the counts below are written
	// by misses and must not take that cache line along.
	_ [64]byte

	missed atomic.Uint64 // look-ups that ended with nothing: neither load nor join

	mu         sync.Mutex // guards all below
	oldest     *entry[V]
	newest     *entry[V]
	entries    int
	bytes      int64
	maxEntries int
	maxBytes   int64 // 0: no bound
	flights    map[K]*flight[V]
	counts     counts

	_ [64]byte
}

func (s *shard[K, V]) init(maxEntries int, maxBytes int64) {
	s.maxEntries = maxEntries
	s.maxBytes = maxBytes
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

// insertLocked adds a value for k, which may be there only as an expired entry,
// and returns its entry, or nil if it is refused. It makes room first, so the
// bounds hold at every instant.
func (s *shard[K, V]) insertLocked(k K, v V, cost, born, ttl, now int64) *entry[V] {
	if old := s.find(k); old != nil {
		s.counts.expirations++
		s.removeLocked(old)
	}
	expires := born + ttl - rand.Int64N(ttl/jitterShare+1)
	if now >= expires || s.maxBytes > 0 && cost > s.maxBytes/maxShare {
		s.counts.refused++
		return nil
	}
	for s.entries == s.maxEntries || s.maxBytes > 0 && s.bytes > s.maxBytes-cost {
		s.evictLocked(now)
	}
	e := &entry[V]{born: born, expires: expires, cost: cost, key: k, value: v}
	s.m.Store(e.key, e)
	s.pushLocked(e)
	s.entries++
	s.bytes += cost
	return e
}

// evictLocked removes one entry. Hits may set marks as fast as it clears them,
// so after a full round it takes what it is looking at.
func (s *shard[K, V]) evictLocked(now int64) {
	for range s.entries {
		e := s.oldest
		if now >= e.expires || !e.visited.Load() {
			break
		}
		e.visited.Store(false)
		s.unlinkLocked(e)
		s.pushLocked(e)
	}
	if now >= s.oldest.expires {
		s.counts.expirations++
	} else {
		s.counts.evictions++
	}
	s.removeLocked(s.oldest)
}

// sweepLocked removes the expired entries and returns how many are left.
func (s *shard[K, V]) sweepLocked(now int64) int {
	for e := s.oldest; e != nil; {
		next := e.newer
		if now >= e.expires {
			s.counts.expirations++
			s.removeLocked(e)
		}
		e = next
	}
	return s.entries
}

func (s *shard[K, V]) removeLocked(e *entry[V]) {
	s.m.Delete(e.key)
	s.unlinkLocked(e)
	s.entries--
	s.bytes -= e.cost
}

// purge forgets the entries and the flights: a flight that is not in the map
// when it lands is not kept.
func (s *shard[K, V]) purge() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.m.Clear()
	clear(s.flights)
	s.oldest, s.newest = nil, nil
	s.entries, s.bytes = 0, 0
}

// pushLocked links e, which is in no list, as the newest.
func (s *shard[K, V]) pushLocked(e *entry[V]) {
	e.older = s.newest
	if s.newest != nil {
		s.newest.newer = e
	} else {
		s.oldest = e
	}
	s.newest = e
}

// unlinkLocked takes e out of the list.
func (s *shard[K, V]) unlinkLocked(e *entry[V]) {
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		s.oldest = e.newer
	}
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		s.newest = e.older
	}
	e.older, e.newer = nil, nil
}
