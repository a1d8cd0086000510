package cache

import (
	"container/list"
	"sync"
)

// lru is the obvious exact LRU, a mutex round a map and a list: the oracle of the hit ratio and the
// baseline of the benchmarks.
type lru[K comparable, V any] struct {
	capacity int
	fifo     bool // a hit moves nothing

	mu    sync.Mutex
	order list.List // of lruEntry, last used first
	at    map[K]*list.Element
}

type lruEntry[K comparable, V any] struct {
	key   K
	value V
}

func (c *lru[K, V]) get(k K) (v V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	el, ok := c.at[k]
	if !ok {
		return v, false
	}
	if !c.fifo {
		c.order.MoveToFront(el)
	}
	return el.Value.(*lruEntry[K, V]).value, true
}

// put adds k, which is not there.
func (c *lru[K, V]) put(k K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.at) == c.capacity {
		el := c.order.Back()
		delete(c.at, el.Value.(*lruEntry[K, V]).key)
		c.order.Remove(el)
	}
	c.at[k] = c.order.PushFront(&lruEntry[K, V]{k, v})
}

// access is one step of a simulation: it reports a hit, or adds k.
func (c *lru[K, V]) access(k K) bool {
	_, ok := c.get(k)
	if !ok {
		var v V
		c.put(k, v)
	}
	return ok
}

func newLRU(capacity int) *lru[uint32, struct{}] {
	return &lru[uint32, struct{}]{capacity: capacity, at: make(map[uint32]*list.Element)}
}

func newFIFO(capacity int) *lru[uint32, struct{}] {
	c := newLRU(capacity)
	c.fifo = true
	return c
}

// marking is second chance over one list, the shape that CLOCK and SIEVE share: a hit marks;
// eviction walks from the old end and takes the first unmarked entry. CLOCK moves a marked one to
// the young end; SIEVE leaves it where it is and goes on from there next time.
type marking struct {
	capacity int
	sieve    bool

	order list.List // of *mark, oldest first
	hand  *list.Element
	at    map[uint32]*mark
}

type mark struct {
	key     uint32
	visited bool
}

func newMarking(capacity int, sieve bool) *marking {
	return &marking{capacity: capacity, sieve: sieve, at: make(map[uint32]*mark)}
}

func (c *marking) access(k uint32) bool {
	if m, ok := c.at[k]; ok {
		m.visited = true
		return true
	}
	if len(c.at) == c.capacity {
		c.evict()
	}
	m := &mark{key: k}
	c.at[k] = m
	c.order.PushBack(m)
	return false
}

func (c *marking) evict() {
	el := c.hand
	if el == nil {
		el = c.order.Front()
	}
	for el.Value.(*mark).visited {
		el.Value.(*mark).visited = false
		next := el.Next()
		if !c.sieve {
			c.order.MoveToBack(el)
		}
		if next == nil {
			next = c.order.Front()
		}
		el = next
	}
	if c.sieve {
		c.hand = el.Next()
	}
	delete(c.at, el.Value.(*mark).key)
	c.order.Remove(el)
}
