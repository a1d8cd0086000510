package cache

import (
	"math"
	"sync/atomic"
	"time"
)

// sweepEvery is how long an expired entry may keep its memory without traffic.
const sweepEvery = time.Minute

// A sweeper calls sweep a minute after arm, and again while sweep reports that entries are left. It
// is a timer, not a goroutine, so an empty cache runs nothing.
type sweeper struct {
	sweep         func() (left bool)
	timer         *time.Timer
	armed, closed atomic.Bool // every insert reads them; they are written at most once a minute
}

func newSweeper(sweep func() (left bool)) *sweeper {
	w := &sweeper{sweep: sweep}
	w.timer = time.AfterFunc(math.MaxInt64, w.run)
	w.timer.Stop()
	return w
}

func (w *sweeper) arm() {
	if !w.armed.Load() && !w.closed.Load() && w.armed.CompareAndSwap(false, true) {
		w.timer.Reset(sweepEvery)
	}
}

func (w *sweeper) run() {
	w.armed.Store(false) // before the sweep, so that an insert during it arms again
	if w.sweep() {
		w.arm()
	}
}

// close ends the sweeps. An arm at the same moment may cause one more.
func (w *sweeper) close() {
	w.closed.Store(true)
	w.timer.Stop()
}

// sweep removes the expired entries, a shard at a time.
func (c *Cache[K, V]) sweep() (left bool) {
	now := c.now()
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		left = c.sweepLocked(s, now) || left
		s.mu.Unlock()
	}
	return left
}
