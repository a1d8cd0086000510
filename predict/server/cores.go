package server

import (
	"runtime"
	"sync/atomic"
	"time"
)

// A coreQueue bounds how many connections of net/http work at once on what they have read: a few
// for each core. The others wait in the order in which they came.
//
// Without it, thousands of clients that send much keep as many goroutines ready to run, and a short
// request of another client waits for a time slice of each.
type coreQueue chan struct{}

// perCore is so many that clients of HTTP/2 which mean well seldom wait: with one, they cost a
// fifth more (bench/peers). Under attack it makes no difference that shows (bench/hostile).
const perCore = 8

func newCoreQueue() coreQueue { return make(coreQueue, perCore*runtime.GOMAXPROCS(0)) }

// coreWait bounds the wait for a place: one that has it may turn out not to be working, but waiting
// in net/http.
const coreWait = 250 * time.Millisecond

// A core is the place that a connection has in a coreQueue. The goroutine that reads takes it with
// what it has read, and any may give it back.
type core struct {
	queue coreQueue // nil: the connection needs no place
	taken atomic.Bool
	ended atomic.Bool
	left  chan struct{} // closed with ended
}

func newCore(q coreQueue) core {
	if q == nil {
		return core{}
	}
	return core{queue: q, left: make(chan struct{})}
}

func (c *core) take() {
	if c.queue == nil || c.ended.Load() {
		return
	}
	select {
	case c.queue <- struct{}{}:
	default:
		wait := time.NewTimer(coreWait)
		defer wait.Stop()
		select {
		case c.queue <- struct{}{}:
		case <-c.left:
			return
		case <-wait.C:
			return
		}
		// The one that has given it back may have made others ready to run, such as handlers of
		// HTTP/2. They come first: else connections that follow each other keep them waiting.
		runtime.Gosched()
	}
	if c.taken.Store(true); c.ended.Load() {
		c.giveBack()
	}
}

func (c *core) giveBack() {
	if c.taken.Load() && c.taken.CompareAndSwap(true, false) {
		<-c.queue
	}
}

// end gives the place back for good, and ends the wait for it.
func (c *core) end() {
	if c.left != nil && c.ended.CompareAndSwap(false, true) {
		close(c.left)
	}
	c.giveBack()
}
