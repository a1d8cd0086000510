package cache

import (
	"sync"
	"sync/atomic"
	"time"
)

// sweepEvery is how long an expired entry may keep its memory without traffic.
const sweepEvery = time.Minute

// A sweeper calls sweep a minute after arm, and again while sweep says that something is left. It
// is a timer, not a goroutine: an empty cache has nothing under way.
type sweeper struct {
	sweep func() (left bool)
	armed atomic.Bool // read by every insert; written once a minute at most

	mu     sync.Mutex // guards all below
	timer  *time.Timer
	closed bool
}

func (w *sweeper) arm() {
	if w.armed.Load() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.armed.Load() {
		return
	}
	w.armed.Store(true)
	w.timer = time.AfterFunc(sweepEvery, w.run)
}

func (w *sweeper) run() {
	// First, so that an insert behind the sweep's back arms it again.
	w.armed.Store(false)
	if w.sweep() {
		w.arm()
	}
}

func (w *sweeper) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	if w.timer != nil {
		w.timer.Stop()
	}
}

// sweep removes the expired entries, a shard at a time.
func (c *Cache[K, V]) sweep() (left bool) {
	now := c.now()
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		if s.sweepLocked(now) > 0 {
			left = true
		}
		s.mu.Unlock()
	}
	return left
}
