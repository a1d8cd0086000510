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
	"time"
)

// ErrFull is the refusal of a call when too much waits.
var ErrFull = errors.New("too many calls wait")

const (
	slotsPerCore = 2 // one that runs, and one that is there when it ends

	// patience is how long the work that waits for a core may take, by what calls took before. It
	// is a quarter of the 100 ms in which a call should be answered, since under ten times what a
	// server can do, half of the core's time goes to reading and refusing the rest.
	patience = 25 * time.Millisecond

	// leastPerCore calls of each core, with those that run, are let in whatever they take. So eight
	// clients for each core can ask for the largest batches one after the other, and under
	// overload calls of 12 ms are still answered in time.
	leastPerCore = 8

	// firstGuess is the time for a byte of a body, in picoseconds, until calls have shown it: that
	// of batches of which no forecast is in the cache.
	firstGuess = 63_000

	// memory is the number of calls over which the time for a byte is averaged. A call that took
	// surprise times as long counts as that: most often it was only kept from running.
	memory, surprise = 16, 4
)

// Limiter is a semaphore with a bounded queue. It is safe for concurrent use.
type Limiter struct {
	slots   chan struct{}
	cores   int64
	calls   atomic.Int64 // that run or wait
	bytes   atomic.Int64 // of the bodies of those that wait
	perByte atomic.Int64 // picoseconds that a call took for each byte of its body
	refused atomic.Uint64
}

// New returns a Limiter for a number of cores.
func New(cores int) *Limiter {
	l := &Limiter{slots: make(chan struct{}, slotsPerCore*cores), cores: int64(cores)}
	l.perByte.Store(firstGuess)
	return l
}

// Acquire waits for a slot for a call whose body has so many bytes; release gives it back. The
// error is ErrFull or that of ctx.
func (l *Limiter) Acquire(ctx context.Context, size int) (release func(), err error) {
	calls := l.calls.Add(1)
	select {
	case l.slots <- struct{}{}:
	default:
		if err := l.wait(ctx, calls, int64(size)); err != nil {
			l.calls.Add(-1)
			return nil, err
		}
	}
	// Work that never blocks runs to its end before the scheduler turns to other requests, which
	// would meanwhile be neither counted nor refused. Let them come first.
	runtime.Gosched()
	began := time.Now()
	return func() {
		l.learn(int64(size), time.Since(began))
		l.calls.Add(-1)
		<-l.slots
	}, nil
}

func (l *Limiter) wait(ctx context.Context, calls, size int64) error {
	defer l.bytes.Add(-size)
	if !l.fits(calls, l.bytes.Add(size)) {
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

// fits reports whether there may be so many calls, of which so many bytes wait.
func (l *Limiter) fits(calls, bytes int64) bool {
	return calls <= leastPerCore*l.cores ||
		bytes*l.perByte.Load() <= int64(patience)*1000*l.cores
}

// learn moves the time for a byte towards what a call took. Calls that end together may undo each
// other's step, which an average of many stands.
func (l *Limiter) learn(size int64, took time.Duration) {
	old := l.perByte.Load()
	now := min(int64(took)*1000/max(size, 1), surprise*old)
	l.perByte.Store(max(old+(now-old)/memory, 1000))
}

// Full reports whether Acquire would refuse a call, and counts it as refused if so. Ask before
// reading its body: what is refused unread costs least.
func (l *Limiter) Full(size int) bool {
	if l.fits(l.calls.Load()+1, l.bytes.Load()+int64(size)) {
		return false
	}
	l.refused.Add(1)
	return true
}

// Refused returns the number of calls refused so far.
func (l *Limiter) Refused() uint64 { return l.refused.Load() }
