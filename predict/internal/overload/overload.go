// Package overload bounds how many costly calls run at once and how many wait for that, so that
// under overload some are refused early and the others are answered in time.
//
// It limits concurrency, not rate, and knows nothing of who asks. It is for work that costs far
// more than refusing it does.
package overload

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
)

// ErrFull is the refusal of a call when too many wait.
var ErrFull = errors.New("too many calls wait")

const (
	slotsPerCore   = 2 // one that runs, and one that is there when it ends
	waitingPerCore = 32
)

// Limiter is a semaphore with a bounded queue. It is safe for concurrent use.
type Limiter struct {
	slots   chan struct{}
	present atomic.Int64 // running and waiting
	most    int64        // of these
	refused atomic.Uint64
	release func() // made once, since a method value is an allocation
}

// New returns a Limiter for a number of cores.
func New(cores int) *Limiter {
	l := &Limiter{
		slots: make(chan struct{}, slotsPerCore*cores),
		most:  int64((slotsPerCore + waitingPerCore) * cores),
	}
	l.release = func() {
		<-l.slots
		l.present.Add(-1)
	}
	return l
}

// Acquire waits for a slot; release gives it back. The error is ErrFull or that of ctx.
func (l *Limiter) Acquire(ctx context.Context) (release func(), err error) {
	if l.present.Add(1) > l.most {
		l.present.Add(-1)
		l.refused.Add(1)
		return nil, ErrFull
	}
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		l.present.Add(-1)
		return nil, ctx.Err()
	}
	// Work that never blocks runs to its end before the scheduler looks at requests that are there
	// too: they would wait unread, uncounted and unrefused. Let them come first.
	runtime.Gosched()
	return l.release, nil
}

// Full reports whether Acquire would refuse one more, and counts it as refused if so. Ask before
// reading what belongs to the call: what is refused unread costs least.
func (l *Limiter) Full() bool {
	if l.present.Load() < l.most {
		return false
	}
	l.refused.Add(1)
	return true
}

// Refused returns the number of calls refused so far.
func (l *Limiter) Refused() uint64 { return l.refused.Load() }
