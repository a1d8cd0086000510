package cache

import (
	"math/rand/v2"
	"reflect"
	"sync"
	"sync/atomic"
)

// maxShare is the part of a shard's bytes that one entry may take: one in eight.
const maxShare = 8

// maxCost is what a larger Cost counts as; it keeps sums far from overflow.
const maxCost = 1 << 48

// jitterShare is the part of the TTL by which an entry may live shorter: one in twenty.
const jitterShare = 20

// mapOverhead is what an entry takes outside itself: a leaf of 48 bytes in the map, its part of the
// map's inner nodes and of the policy's ghosts. Measured by TestBytesMatchHeap, which holds the sum
// against the heap.
const mapOverhead = 120

// entryOverhead returns the bytes of an entry beyond Cost.
func entryOverhead[K comparable, V any]() int64 {
	return mapOverhead + int64(reflect.TypeFor[entry[V]]().Size()+reflect.TypeFor[K]().Size())
}

// A shard is one part of the cache: its own map, lock, bounds and policy.
type shard[K comparable, V any] struct {
	m sync.Map // K to *entry[V]; written under mu alone

	// Look-ups read the words above; the lock and the counts below are written by misses and must
	// not take that cache line along.
	_ [64]byte

	missed atomic.Uint64 // look-ups that ended with nothing: neither load nor join

	mu         sync.Mutex // guards all below
	policy     policy[V]
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

// insertLocked adds the value of f for k, which is not there since f took off, and returns its
// entry, or nil if it is refused. It makes room first, so the bounds hold at every instant.
func (s *shard[K, V]) insertLocked(k K, f *flight[V], cost, ttl, now int64) *entry[V] {
	e := &entry[V]{
		tag:     f.tag,
		born:    f.born,
		expires: f.born + ttl - rand.Int64N(ttl/jitterShare+1),
		cost:    cost,
		key:     k,
		value:   f.item.Value,
	}
	if e.expired(now) || s.maxBytes > 0 && cost > s.maxBytes/maxShare {
		s.counts.refused++
		return nil
	}
	for s.policy.len() == s.maxEntries || s.maxBytes > 0 && s.bytes > s.maxBytes-cost {
		s.evictLocked(now)
	}
	s.m.Store(e.key, e)
	s.policy.add(e)
	s.bytes += cost
	return e
}

func (s *shard[K, V]) evictLocked(now int64) {
	e := s.policy.victim(now)
	if e.expired(now) {
		s.counts.expirations++
	} else {
		s.counts.evictions++
		s.policy.remember(e)
	}
	s.removeLocked(e)
}

// sweepLocked removes the expired entries and returns how many are left.
func (s *shard[K, V]) sweepLocked(now int64) int {
	for _, q := range []*queue[V]{&s.policy.recent, &s.policy.frequent} {
		for e := q.oldest; e != nil; {
			next := e.newer
			if e.expired(now) {
				s.counts.expirations++
				s.removeLocked(e)
			}
			e = next
		}
	}
	return s.policy.len()
}

func (s *shard[K, V]) removeLocked(e *entry[V]) {
	s.m.Delete(e.key)
	e.remove()
	s.bytes -= e.cost
}

// purge forgets the entries and the flights: a flight that is not in the map when it lands is not
// kept.
func (s *shard[K, V]) purge() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.m.Clear()
	s.policy = policy[V]{}
	s.bytes = 0
	clear(s.flights)
}
