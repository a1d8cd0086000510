// Package admission bounds how much work runs at once and how much waits for it, so that under
// overload some requests are refused early and the others answered in time.
//
// It limits concurrency, not rate, and knows nothing of who asks or how long the work takes. It is
// for work that costs more than refusing it does: what is cheaper, such as an answer from a cache,
// needs no admission.
package admission

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// ErrOverload is what is refused for want of room or patience.
var ErrOverload = errors.New("overloaded")

// Config is what a Gate lets through. The zero value is usable.
type Config struct {
	Running int           // at once; 0 means GOMAXPROCS
	Waiting int           // beside those; 0 means four times Running
	Target  time.Duration // longest wait under overload; 0 means 5 ms
	// longest wait otherwise, and how long a queue must stand to be overload; 0 means 100 ms
	Interval time.Duration
}

// Gate lets a bounded number of goroutines in. While nobody waits, coming and going is one
// compare-and-swap each.
//
// Waiting is controlled as in CoDel, by how long a queue has stood: a queue that is empty now and
// then is a burst, and serves the oldest first. One that has not been empty for Interval is
// overload: whoever came in order would wait the longest and be late, so the newest is served
// first, and nobody waits longer than Target. It is safe for concurrent use.
type Gate struct {
	cfg Config
	// running in the low half, waiting in the high; waiting changes only under mu
	state atomic.Uint64

	mu    sync.Mutex
	queue []*waiter // oldest first
	stood time.Time // since when the queue has not been empty

	refused atomic.Uint64
	waited  atomic.Uint64
}

// A waiter is a goroutine in the queue.
type waiter struct {
	outcome chan error // of size 1: nil when let in
}

const oneWaiting = 1 << 32

// New returns a Gate, or an error that names the field at fault.
func New(cfg Config) (*Gate, error) {
	if cfg.Running == 0 {
		cfg.Running = runtime.GOMAXPROCS(0)
	}
	if cfg.Waiting == 0 {
		cfg.Waiting = 4 * cfg.Running
	}
	if cfg.Target == 0 {
		cfg.Target = 5 * time.Millisecond
	}
	if cfg.Interval == 0 {
		cfg.Interval = 100 * time.Millisecond
	}
	switch {
	case cfg.Running < 0:
		return nil, fmt.Errorf("admission: Running is %d, must not be negative", cfg.Running)
	case cfg.Waiting < 0:
		return nil, fmt.Errorf("admission: Waiting is %d, must not be negative", cfg.Waiting)
	case cfg.Target < 0 || cfg.Interval < cfg.Target:
		return nil, fmt.Errorf("admission: Target %v and Interval %v must rise from zero",
			cfg.Target, cfg.Interval)
	}
	return &Gate{cfg: cfg}, nil
}

// Enter waits to be let in. After nil the caller does its work and then calls Leave. Otherwise the
// error is ErrOverload or ctx's, and there is nothing to leave.
func (g *Gate) Enter(ctx context.Context) error {
	for {
		s := g.state.Load()
		if s >= uint64(g.cfg.Running) { // no room, or others wait
			return g.wait(ctx)
		}
		if g.state.CompareAndSwap(s, s+1) {
			return nil
		}
	}
}

// Leave makes room for another.
func (g *Gate) Leave() {
	for {
		s := g.state.Load()
		if s >= oneWaiting {
			g.pass()
			return
		}
		if g.state.CompareAndSwap(s, s-1) {
			return
		}
	}
}

// pass gives the place of who leaves to who waits.
func (g *Gate) pass() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.queue) == 0 { // who waited has given up
		g.state.Add(^uint64(0))
		return
	}
	at := 0
	if g.overloaded(time.Now()) {
		at = len(g.queue) - 1
	}
	g.settle(at, nil)
}

// overloaded reports whether the queue, which is not empty, has stood for too long.
func (g *Gate) overloaded(now time.Time) bool { return now.Sub(g.stood) >= g.cfg.Interval }

// settle takes a waiter out of the queue and tells it the outcome.
func (g *Gate) settle(at int, outcome error) {
	w := g.queue[at]
	g.queue = append(g.queue[:at], g.queue[at+1:]...)
	g.state.Add(^uint64(oneWaiting - 1))
	w.outcome <- outcome
}

func (g *Gate) wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w, patience, err := g.join()
	if w == nil {
		return err
	}
	g.waited.Add(1)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-w.outcome:
		return err
	case <-timer.C:
		return g.giveUp(w, ErrOverload)
	case <-ctx.Done():
		return g.giveUp(w, ctx.Err())
	}
}

// join puts a waiter at the end of the queue. Without one the error is the outcome.
func (g *Gate) join() (*waiter, time.Duration, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	for len(g.queue) == 0 { // others come and go past the lock until it says that somebody waits
		s := g.state.Load()
		if s < uint64(g.cfg.Running) {
			if g.state.CompareAndSwap(s, s+1) {
				return nil, 0, nil
			}
		} else if g.state.CompareAndSwap(s, s+oneWaiting) {
			g.stood = now
			return g.push(), g.cfg.Interval, nil
		}
	}
	overloaded := g.overloaded(now)
	if len(g.queue) >= g.cfg.Waiting {
		g.refused.Add(1)
		if !overloaded {
			return nil, 0, ErrOverload
		}
		g.settle(0, ErrOverload) // it has waited for the longest, and would be served last
	}
	g.state.Add(oneWaiting)
	if overloaded {
		return g.push(), g.cfg.Target, nil
	}
	return g.push(), g.cfg.Interval, nil
}

func (g *Gate) push() *waiter {
	w := &waiter{make(chan error, 1)}
	g.queue = append(g.queue, w)
	return w
}

// giveUp takes a waiter out of the queue, unless its outcome is there already.
func (g *Gate) giveUp(w *waiter, err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for at := range g.queue {
		if g.queue[at] == w {
			g.settle(at, err)
			if errors.Is(err, ErrOverload) {
				g.refused.Add(1)
			}
			break
		}
	}
	return <-w.outcome
}

// Stats is what a Gate has seen so far, and what is in it now.
type Stats struct {
	Running, Waiting int
	Waited, Refused  uint64
}

// Stats returns the figures; they are read one by one: no snapshot.
func (g *Gate) Stats() Stats {
	s := g.state.Load()
	return Stats{Running: int(uint32(s)), Waiting: int(s >> 32), Waited: g.waited.Load(),
		Refused: g.refused.Load()}
}
