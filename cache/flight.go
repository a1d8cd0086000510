package cache

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

var errGoexit = errors.New("cache: load ended its goroutine")

// A flight is one load under way. The caller that loads writes item and err before it closes done;
// the waiters read them afterwards.
type flight[V any] struct {
	born int64
	done chan struct{} // made by the first waiter; guarded by the shard's lock
	item Item[V]
	err  error
}

// loadMissing joins the flight of k or begins one. It looks again first: a flight may have landed
// since the caller missed.
func (c *Cache[K, V]) loadMissing(ctx context.Context, s *shard[K, V], k K,
	load func(context.Context) (V, error)) (Item[V], error) {
	s.mu.Lock()
	now := c.now()
	if e := s.find(k); e != nil {
		if c.use(e, now) {
			s.mu.Unlock()
			return e.hit(now), nil
		}
		c.expireLocked(s, e)
	}
	s.stats.Misses++
	if f := s.flights[k]; f != nil {
		s.stats.Joins++
		if f.done == nil {
			f.done = make(chan struct{})
		}
		done := f.done
		s.mu.Unlock()
		select {
		case <-done:
			return f.item, f.err
		case <-ctx.Done():
			return Item[V]{}, ctx.Err()
		}
	}
	if err := ctx.Err(); err != nil {
		s.mu.Unlock()
		return Item[V]{}, err
	}
	s.stats.Loads++
	f := &flight[V]{born: now}
	// A key that does not equal itself (it contains a NaN) could be neither found nor deleted: its
	// loads are not shared and not kept.
	if k == k {
		s.flights[k] = f
	}
	s.mu.Unlock()
	if ctx.Done() != nil { // else it has no end, and one more context would be garbage
		ctx = context.WithoutCancel(ctx)
	}
	c.fly(ctx, s, k, f, load)
	return f.item, f.err
}

// fly runs load and lands f, whether load returns, panics or calls Goexit.
func (c *Cache[K, V]) fly(ctx context.Context, s *shard[K, V], k K, f *flight[V],
	load func(context.Context) (V, error)) {
	var cost int64
	returned := false
	defer func() {
		if !returned {
			switch r := recover().(type) {
			case nil:
				f.err = errGoexit
			case error:
				f.err = fmt.Errorf("cache: load panicked: %w", r)
			default:
				f.err = fmt.Errorf("cache: load panicked: %v", r)
			}
		}
		c.land(s, k, f, cost)
	}()
	f.item.Value, f.err = load(ctx)
	if f.err == nil && c.cost != nil {
		cost = min(max(0, c.cost(k, f.item.Value)), maxCost)
	}
	cost += c.overhead
	returned = true
}

// land ends f. In one critical section f stops being joinable and its value becomes an entry,
// unless it failed, a purge has removed it, or there is no room. Room is made before that, since it
// may take the locks of other shards.
func (c *Cache[K, V]) land(s *shard[K, V], k K, f *flight[V], cost int64) {
	var e *entry[V]
	expires := f.born + c.ttl - rand.Int64N(c.ttl/jitterShare+1)
	now := c.now()
	room := f.err == nil && k == k && c.makeRoom(s, cost, now)
	s.mu.Lock()
	if s.flights[k] == f {
		delete(s.flights, k)
		if room && now < expires {
			e = c.insertLocked(s, k, f, cost, expires)
		}
	}
	done := f.done
	s.mu.Unlock()
	if room && e == nil {
		c.room.give(1, cost)
	}
	switch {
	case e != nil:
		f.item = e.item(now)
		c.sweeper.arm()
	case f.err != nil:
		f.item = Item[V]{}
	default:
		f.item.Age = time.Duration(now - f.born)
	}
	if done != nil {
		close(done)
	}
}
