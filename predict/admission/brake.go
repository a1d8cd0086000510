package admission

import (
	"runtime"
	"sync/atomic"
	"time"
)

// A Brake refuses work that is far costlier than its refusal, beyond as much at once as can be done
// while who asks is patient, while the process has more to do than it can. It is safe for
// concurrent use.
//
// A Gate cannot see that on few cores: work that never waits runs to its end before the next
// request is so much as read, and the queue stands in sockets. What can be seen is that the process
// finds no idle moment, see Lag. Whoever has one now and then is not overloaded, whatever is in
// flight. Once it brakes there are idle moments again, thanks to that, so it goes on until nobody
// had to be refused for as long as it took to begin.
//
// How much at once is patience times how much was done lately in a time, by Little's law: work that
// takes longer gets less room, and clients that wait for each answer before they ask again are
// refused only where there are more of them than that.
type Brake struct {
	least    int64
	patience int64 // nanoseconds, as all times below
	lag      *Lag
	inside   atomic.Int64
	until    atomic.Int64 // brakes until then, by the clock of lag
	refused  atomic.Uint64

	done  atomic.Int64 // since
	since atomic.Int64
	room  atomic.Int64 // by what was done in the time before
}

// burst is how many times the least may be at once before it brakes.
const burst = 256

// NewBrake returns a Brake that never refuses fewer than least at once, and never admits more than
// burst times that.
func NewBrake(least int, patience time.Duration, lag *Lag) *Brake {
	return &Brake{least: int64(least), patience: int64(patience), lag: lag}
}

// Full reports whether one more would be refused, and counts it as refused if so. It is for before
// the work is known in full: what is refused unread costs least.
func (b *Brake) Full() bool { return b.refuse(b.inside.Load() + 1) }

// Enter reports whether the work may be done; then Leave ends it.
func (b *Brake) Enter() bool {
	if b.refuse(b.inside.Add(1)) {
		b.inside.Add(-1)
		return false
	}
	// Others may have come meanwhile. They are counted, and refused, before this one's work begins,
	// not after.
	runtime.Gosched()
	return true
}

// refuse reports whether so many at once are too many.
func (b *Brake) refuse(inside int64) bool {
	standing := b.lag.Standing() // asked in any case, so that it is known when it matters
	now := int64(b.lag.now())
	room := b.measure(now)
	if inside <= room {
		return false
	}
	if standing || now < b.until.Load() {
		b.until.Store(now + int64(b.lag.queue.interval))
	} else if inside <= burst*b.least {
		return false
	}
	b.refused.Add(1)
	return true
}

// measure returns the room there is, by what was done in the last whole interval.
func (b *Brake) measure(now int64) int64 {
	since := b.since.Load()
	if took := now - since; took >= int64(b.lag.queue.interval) &&
		b.since.CompareAndSwap(since, now) {
		b.room.Store(b.done.Swap(0) * b.patience / took)
	}
	return max(b.room.Load(), b.least)
}

// Leave ends the work.
func (b *Brake) Leave() {
	b.inside.Add(-1)
	b.done.Add(1)
}

// Refused is the number of those refused so far.
func (b *Brake) Refused() uint64 { return b.refused.Load() }
