// Package overload bounds how many costly calls run at once and how much waits for that, so that
// under overload some are refused early and the others are answered in time.
//
// It limits concurrency, not rate, and knows nothing of clients. It is for work that costs far more
// than refusing it does.
package overload

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
)

// ErrFull is the refusal of a call when too much waits.
var ErrFull = errors.New("too many calls wait")

const (
	slotsPerCore = 2 // one that runs, and one that is there when it ends

	// waitingPerCore bounds the bytes of the bodies that wait, since those tell how long a call
	// will take: 150 histories or a dozen batches of 500 tickers, about 50 ms of work. With 1 MiB
	// half of the batches that were let in came after 100 ms.
	waitingPerCore = 384 << 10
)

// Limiter is a semaphore with a bounded queue. It is safe for concurrent use.
type Limiter struct {
	slots   chan struct{}
	waiting atomic.Int64 // bytes
	most    int64        // of these
	refused atomic.Uint64
	release func() // made once, since a method value is an allocation
}

// New returns a Limiter for a number of cores.
func New(cores int) *Limiter {
	l := &Limiter{
		slots: make(chan struct{}, slotsPerCore*cores),
		most:  int64(waitingPerCore * cores),
	}
	l.release = func() { <-l.slots }
	return l
}

// Acquire waits for a slot for a call whose body has so many bytes; release gives it back. A call
// for which no other waits may be of any size. The error is ErrFull or that of ctx.
func (l *Limiter) Acquire(ctx context.Context, size int) (release func(), err error) {
	select {
	case l.slots <- struct{}{}:
	default:
		if err := l.wait(ctx, int64(size)); err != nil {
			return nil, err
		}
	}
	// Work that never blocks runs to its end before the scheduler turns to other requests, which
	// would meanwhile be neither counted nor refused. Let them come first.
	runtime.Gosched()
	return l.release, nil
}

func (l *Limiter) wait(ctx context.Context, size int64) error {
	defer l.waiting.Add(-size)
	if n := l.waiting.Add(size); n > l.most && n > size {
		l.refused.Add(1)
		return ErrFull
	}
	select {
	case l.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Full reports whether Acquire would refuse a call, and counts it as refused if so. Ask before
// reading its body: what is refused unread costs least.
func (l *Limiter) Full(size int) bool {
	n := l.waiting.Load()
	if n == 0 || n+int64(size) <= l.most {
		return false
	}
	l.refused.Add(1)
	return true
}

// Refused returns the number of calls refused so far.
func (l *Limiter) Refused() uint64 { return l.refused.Load() }
