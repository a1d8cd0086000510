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
	young  int  // hits do not count in the newest part of the list, 1/young of it; 0: all count

	order  list.List // of *simulated, oldest first
	at     map[uint32]*list.Element
	hand   *list.Element // where eviction goes on, if stay
	held   int64         // bytes
	pushes int
}

type simulated struct {
	ask
	marked bool
	pushed int // simulation.pushes when it was put at the new end
	young  int // its hits count after so many more
}

func exactLRU(l limits) policy { return (&simulation{limits: l, lru: true}).run() }
func fifo(l limits) policy     { return (&simulation{limits: l}).run() }
func clock(l limits) policy    { return (&simulation{limits: l, chance: true}).run() }
func sieve(l limits) policy    { return (&simulation{limits: l, chance: true, stay: true}).run() }

// lateClock is the policy of the cache, unsharded.
func lateClock(l limits) policy {
	return (&simulation{limits: l, chance: true, young: youngShare}).run()
}

func (c *simulation) run() policy {
	c.at = make(map[uint32]*list.Element)
	return c.access
}

func (c *simulation) access(a ask) bool {
	if el, ok := c.at[a.key]; ok {
		if e := el.Value.(*simulated); c.chance && c.pushes-e.pushed >= e.young {
			e.marked = true
		}
		if c.lru {
			c.order.MoveToBack(el)
		}
		return true
	}
	for len(c.at) == c.entries || c.bytes > 0 && c.held+a.bytes > c.bytes {
		c.evict()
	}
	e := &simulated{ask: a}
	c.at[a.key] = c.order.PushBack(e)
	c.held += a.bytes
	c.pushed(e)
	return false
}

func (c *simulation) pushed(e *simulated) {
	c.pushes++
	e.pushed = c.pushes
	if c.young > 0 {
		e.young = (len(c.at) + c.young - 1) / c.young
	}
}

func (c *simulation) evict() {
	el := c.hand
	if el == nil {
		el = c.order.Front()
	}
	for el.Value.(*simulated).marked {
		e := el.Value.(*simulated)
		e.marked = false
		next := el.Next()
		if !c.stay {
			c.order.MoveToBack(el)
			c.pushed(e)
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
