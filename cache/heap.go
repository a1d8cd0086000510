package cache

import "math"

// children is the width of the heap. With four, which lie side by side in memory, it is half as
// deep as with two.
const children = 4

// A slot is an entry's place in the heap. An entry may have been used since: used is what was known
// of it when the slot was last looked at.
type slot[V any] struct {
	used uint64
	e    *entry[V]
}

// push adds e.
func (s *shard[K, V]) push(e *entry[V]) {
	s.heap = append(s.heap, slot[V]{})
	s.up(len(s.heap)-1, slot[V]{e.used.Load(), e})
	s.publish()
}

// remove takes e out.
func (s *shard[K, V]) remove(e *entry[V]) {
	i, n := e.slot, len(s.heap)-1
	last := s.heap[n]
	s.heap[n] = slot[V]{}
	if s.heap = s.heap[:n]; i < n {
		s.down(i, last)
		s.up(last.e.slot, last)
	}
	s.publish()
}

// up puts x at i or above.
func (s *shard[K, V]) up(i int, x slot[V]) {
	for i > 0 {
		parent := (i - 1) / children
		if s.heap[parent].used <= x.used {
			break
		}
		s.set(i, s.heap[parent])
		i = parent
	}
	s.set(i, x)
}

// down puts x at i or below.
func (s *shard[K, V]) down(i int, x slot[V]) {
	for {
		first := i*children + 1
		if first >= len(s.heap) {
			break
		}
		least := first
		for j := first + 1; j < min(first+children, len(s.heap)); j++ {
			if s.heap[j].used < s.heap[least].used {
				least = j
			}
		}
		if s.heap[least].used >= x.used {
			break
		}
		s.set(i, s.heap[least])
		i = least
	}
	s.set(i, x)
}

func (s *shard[K, V]) set(i int, x slot[V]) {
	s.heap[i] = x
	x.e.slot = i
}

// order makes a heap of slots in any order.
func (s *shard[K, V]) order() {
	for i := len(s.heap) - 1; i >= 0; i-- {
		s.down(i, s.heap[i])
	}
	s.publish()
}

// publish lets the other shards see how old this one's oldest slot is.
func (s *shard[K, V]) publish() {
	used := uint64(math.MaxUint64)
	if len(s.heap) > 0 {
		used = s.heap[0].used
	}
	if s.oldest.Load() != used {
		s.oldest.Store(used)
	}
}
