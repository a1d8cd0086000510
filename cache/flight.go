package cache

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// A PanicError is a panic in a load, as all callers of that load see it.
type PanicError struct {
	Value any    // what was passed to panic
	Stack []byte // of the goroutine that loaded
}

func (e *PanicError) Error() string { return fmt.Sprintf("cache: load panicked: %v", e.Value) }

// Unwrap returns Value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

var errGoexit = errors.New("cache: load ended its goroutine")

// A flight is one load under way. The caller that loads writes item and err before it closes done;
// the others read them after.
type flight[V any] struct {
	tag  uint32 // see entry
	born int64
	done chan struct{} // made by the first who waits; guarded by the shard's lock
	item Item[V]
	err  error
}

// loadMissing joins the flight of k or becomes it. It looks again first: a flight may have landed
// since the caller missed.
func (c *Cache[K, V]) loadMissing(ctx context.Context, s *shard[K, V], tag uint32, k K,
	load func(context.Context) (V, error)) (Item[V], error) {
	s.mu.Lock()
	now := c.now()
	if e := s.find(k); e != nil {
		if e.hit(now) {
			s.mu.Unlock()
			return e.item(now), nil
		}
		s.counts.expirations++
		s.removeLocked(e)
	}
	if f := s.flights[k]; f != nil {
		s.counts.joins++
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
		s.missed.Add(1)
		s.mu.Unlock()
		return Item[V]{}, err
	}
	s.counts.loads++
	f := &flight[V]{tag: tag, born: now}
	// A key that is not itself (a NaN in it) could never be found again, nor deleted: its loads are
	// neither shared nor kept.
	if k == k {
		s.flights[k] = f
	}
	s.mu.Unlock()
	c.fly(context.WithoutCancel(ctx), s, k, f, load)
	return f.item, f.err
}

// fly runs load and lands f whatever load does: return, panic or Goexit.
func (c *Cache[K, V]) fly(ctx context.Context, s *shard[K, V], k K, f *flight[V],
	load func(context.Context) (V, error)) {
	var cost int64
	returned := false
	defer func() {
		if !returned {
			f.err = errGoexit
			if r := recover(); r != nil {
				f.err = &PanicError{Value: r, Stack: debug.Stack()}
			}
		}
		c.land(s, k, f, cost)
	}()
	f.item.Value, f.err = load(ctx)
	if f.err == nil && c.cost != nil {
		cost = min(max(0, c.cost(k, f.item.Value)), maxCost)
	}
	returned = true
}

// land ends f: in one critical section it stops being joinable and its value becomes an entry,
// unless it failed or a purge has struck it off.
func (c *Cache[K, V]) land(s *shard[K, V], k K, f *flight[V], cost int64) {
	var e *entry[V]
	s.mu.Lock()
	now := c.now()
	if f.err != nil {
		s.counts.failures++
	}
	if s.flights[k] == f {
		delete(s.flights, k)
		if f.err == nil {
			e = s.insertLocked(k, f, cost+c.overhead, c.ttl, now)
		}
	}
	done := f.done
	s.mu.Unlock()
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
