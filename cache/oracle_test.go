package cache

import "container/list"

// A policy is one step of a simulated cache: it reports a hit, or inserts the key.
type policy func(ask) bool

// limits bound a simulated cache as Config does.
type limits struct {
	entries int
	bytes   int64 // 0: no bound
}

// A simulation is the obvious form of the policies that are compared: a map and a list. Its fields
// choose one of them.
type simulation struct {
	limits
	lru    bool // a hit moves the entry to the new end
	chance bool // a hit marks the entry; eviction passes over a marked one and clears its mark
	stay   bool // an entry that is passed over keeps its place; the next eviction goes on behind it

	order list.List // of *simulated, oldest first
	at    map[uint32]*list.Element
	hand  *list.Element // where eviction goes on, if stay
	held  int64         // bytes
}

type simulated struct {
	ask
	marked bool
}

func exactLRU(l limits) policy { return (&simulation{limits: l, lru: true}).run() }
func fifo(l limits) policy     { return (&simulation{limits: l}).run() }
func clock(l limits) policy    { return (&simulation{limits: l, chance: true}).run() }
func sieve(l limits) policy    { return (&simulation{limits: l, chance: true, stay: true}).run() }

func (c *simulation) run() policy {
	c.at = make(map[uint32]*list.Element)
	return c.access
}

func (c *simulation) access(a ask) bool {
	if el, ok := c.at[a.key]; ok {
		el.Value.(*simulated).marked = c.chance
		if c.lru {
			c.order.MoveToBack(el)
		}
		return true
	}
	for len(c.at) == c.entries || c.bytes > 0 && c.held+a.bytes > c.bytes {
		c.evict()
	}
	c.at[a.key] = c.order.PushBack(&simulated{ask: a})
	c.held += a.bytes
	return false
}

func (c *simulation) evict() {
	el := c.hand
	if el == nil {
		el = c.order.Front()
	}
	for el.Value.(*simulated).marked {
		el.Value.(*simulated).marked = false
		next := el.Next()
		if !c.stay {
			c.order.MoveToBack(el)
		}
		if next == nil {
			next = c.order.Front()
		}
		el = next
	}
	if c.stay {
		c.hand = el.Next()
	}
	e := c.order.Remove(el).(*simulated)
	delete(c.at, e.key)
	c.held -= e.bytes
}
