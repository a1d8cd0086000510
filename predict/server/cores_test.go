package server

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestCoreQueue has connections wait for a place that another one has: they get it in turn, and one
// that ends meanwhile waits no longer and takes none.
func TestCoreQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queue := newCoreQueueOf(1)
		var all [4]core
		var order []int
		all[0] = newCore(queue)
		all[0].take()
		for i := range 3 {
			c := &all[i+1]
			*c = newCore(queue)
			go func() {
				c.take()
				order = append(order, i+1)
			}()
			synctest.Wait()
		}
		time.Sleep(coreWait / 2)
		all[1].end()
		synctest.Wait()
		if all[1].has() || len(order) != 1 || order[0] != 1 {
			t.Fatalf("the one that ended has a place %v, %v go on", all[1].has(), order)
		}
		for range 2 {
			all[0].giveBack() // the second time it has none
			synctest.Wait()
		}
		if len(order) != 2 || order[1] != 2 || !all[2].has() || queue.taken() != 1 {
			t.Fatalf("%v go on, %d places are taken", order, queue.taken())
		}
		all[2].end()
		synctest.Wait()
		all[3].giveBack()
		if len(order) != 3 || queue.taken() != 0 {
			t.Fatalf("%v have gone on, %d places are taken", order, queue.taken())
		}
		for i := range all {
			all[i].end()
			all[i].take()
		}
		if queue.taken() != 0 {
			t.Fatalf("%d places are taken by connections that have ended", queue.taken())
		}
		first, late := newCore(queue), newCore(queue)
		first.take()
		began := time.Now()
		late.take()
		if took := time.Since(began); took != coreWait || late.has() {
			t.Errorf("a place that is never free was waited for for %v", took)
		}
		if first.has() {
			t.Error("one that has kept its place for so long still has it")
		}
		late.take()
		if !late.has() {
			t.Error("a place that was taken from another is not free")
		}
		late.giveBack()
		first.giveBack()
	})
}

// TestCoreQueueAtRandom has connections take places, give them back and end, also from elsewhere.
// No place is lost, and no more are taken than there are.
func TestCoreQueueAtRandom(t *testing.T) {
	queue := newCoreQueueOf(3)
	var all sync.WaitGroup
	var working atomic.Int32
	for range 50 {
		c := newCore(queue)
		kept := rand.IntN(2) == 0 // nothing else gives its place back
		all.Go(func() {
			for range 200 {
				c.take()
				if kept {
					if n := working.Add(1); int(n) > cap(queue.free) {
						t.Errorf("%d work at once", n)
					}
					working.Add(-1)
				}
				c.giveBack()
			}
			c.take()
			c.end()
		})
		if !kept {
			all.Go(func() {
				for range rand.IntN(200) {
					c.giveBack()
				}
				c.end()
			})
		}
	}
	all.Wait()
	if queue.taken() != 0 {
		t.Errorf("%d places are lost", queue.taken())
	}
}

func (q *coreQueue) taken() int { return cap(q.free) - len(q.free) }

func (c *core) has() bool { return c.place.Load() != noPlace }
