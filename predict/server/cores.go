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
type coreQueue struct {
	free   chan int // indices of holder
	holder []atomic.Pointer[core]
}

// perCore is so many that clients of HTTP/2 which mean well seldom wait: with one, they cost a
// fifth more (bench/peers). Under attack it makes no difference that shows (bench/hostile).
const perCore = 8

// coreWait bounds the wait for a place, and how long those who wait let another keep one: net/http
// may have stopped reading after an error, or be waiting for the client.
const coreWait = 250 * time.Millisecond

func newCoreQueue() *coreQueue { return newCoreQueueOf(perCore * runtime.GOMAXPROCS(0)) }

func newCoreQueueOf(places int) *coreQueue {
	q := &coreQueue{make(chan int, places), make([]atomic.Pointer[core], places)}
	for i := range places {
		q.free <- i
	}
	return q
}

// clear takes places from those who have had them for long.
func (q *coreQueue) clear(now time.Time) {
	for i := range q.holder {
		if c := q.holder[i].Load(); c != nil && now.UnixNano()-c.since.Load() >= int64(coreWait) {
			c.giveBack()
		}
	}
}

// A core is the place that a connection has in a coreQueue. The goroutine that reads takes it with
// what it has read, and any may give it back.
type core struct {
	queue *coreQueue // nil: the connection needs no place
	place atomic.Int32
	since atomic.Int64 // when it was taken
	ended atomic.Bool
	left  chan struct{} // closed with ended
}

// noPlace is the place of those who have none. Others are counted from 1.
const noPlace = 0

func newCore(q *coreQueue) core {
	if q == nil {
		return core{}
	}
	return core{queue: q, left: make(chan struct{})}
}

func (c *core) take() {
	if c.queue == nil || c.ended.Load() {
		return
	}
	var i int
	select {
	case i = <-c.queue.free:
	default:
		wait := time.NewTimer(coreWait)
		defer wait.Stop()
		select {
		case i = <-c.queue.free:
		case <-c.left:
			return
		case now := <-wait.C:
			c.queue.clear(now)
			return
		}
		// The one that has given it back may have made others ready to run, such as handlers of
		// HTTP/2. They come first: else connections that follow each other keep them waiting.
		runtime.Gosched()
	}
	c.since.Store(time.Now().UnixNano())
	c.queue.holder[i].Store(c)
	c.place.Store(int32(i) + 1)
	if c.ended.Load() {
		c.giveBack()
	}
}

func (c *core) giveBack() {
	if i := c.place.Load(); i != noPlace && c.place.CompareAndSwap(i, noPlace) {
		c.queue.holder[i-1].Store(nil)
		c.queue.free <- int(i - 1)
	}
}

// end gives the place back for good, and ends the wait for it.
func (c *core) end() {
	if c.left != nil && c.ended.CompareAndSwap(false, true) {
		close(c.left)
	}
	c.giveBack()
}
