package admission

import (
	"runtime"
	"sync/atomic"
)

// A Brake refuses work that is far costlier than its refusal, beyond a little of it at once, while the process has more to
// do than it can. It is safe for concurrent use.
//
// A Gate cannot see that on few cores: work that never waits runs to its end before the next request is so much as read, and
// the queue stands in sockets. What can be seen is that the process finds no idle moment, see Lag. Whoever has one now and
// then is not overloaded, whatever is in flight. Once it brakes there are idle moments again, thanks to that, so it goes on
// until nobody had to be refused for as long as it took to begin.
type Brake struct {
	atOnce  int64
	lag     *Lag
	inside  atomic.Int64
	until   atomic.Int64 // brakes until then, by the clock of lag
	refused atomic.Uint64
}

// burst is how many times as many may be at once before it brakes. More could not be done before those who ask give up, and
// then all of it would be done for nobody.
const burst = 8

// NewBrake returns a Brake that never refuses fewer than a number at once, and never admits more than burst times that.
func NewBrake(atOnce int, lag *Lag) *Brake { return &Brake{atOnce: int64(atOnce), lag: lag} }

// Full reports whether one more would be refused, and counts it as refused if so. It is for before the work is known in
// full: what is refused unread costs least.
func (b *Brake) Full() bool { return b.refuse(b.inside.Load() + 1) }

// Enter reports whether the work may be done; then Leave ends it.
func (b *Brake) Enter() bool {
	if b.refuse(b.inside.Add(1)) {
		b.inside.Add(-1)
		return false
	}
	// Others may have come meanwhile. They are counted, and refused, before this one's work begins, not after.
	runtime.Gosched()
	return true
}

// refuse reports whether so many at once are too many.
func (b *Brake) refuse(inside int64) bool {
	standing := b.lag.Standing() // asked in any case, so that it is known when it matters
	if inside <= b.atOnce {
		return false
	}
	now := int64(b.lag.now())
	if standing || now < b.until.Load() {
		b.until.Store(now + int64(b.lag.queue.interval))
	} else if inside <= burst*b.atOnce {
		return false
	}
	b.refused.Add(1)
	return true
}

// Leave ends the work.
func (b *Brake) Leave() { b.inside.Add(-1) }

// Refused is the number of those refused so far.
func (b *Brake) Refused() uint64 { return b.refused.Load() }
