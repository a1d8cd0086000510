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
		queue := make(coreQueue, 1)
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
		if all[1].taken.Load() || len(order) != 1 || order[0] != 1 {
			t.Fatalf("the one that ended has a place %v, %v go on", all[1].taken.Load(), order)
		}
		for range 2 {
			all[0].giveBack() // the second time it has none
			synctest.Wait()
		}
		if len(order) != 2 || order[1] != 2 || !all[2].taken.Load() || len(queue) != 1 {
			t.Fatalf("%v go on, %d places are taken", order, len(queue))
		}
		all[2].end()
		synctest.Wait()
		all[3].giveBack()
		if len(order) != 3 || len(queue) != 0 {
			t.Fatalf("%v have gone on, %d places are taken", order, len(queue))
		}
		for i := range all {
			all[i].end()
			all[i].take()
		}
		if len(queue) != 0 {
			t.Fatalf("%d places are taken by connections that have ended", len(queue))
		}
		first, late := newCore(queue), newCore(queue)
		first.take()
		began := time.Now()
		late.take()
		if took := time.Since(began); took != coreWait || late.taken.Load() {
			t.Errorf("a place that is never free was waited for for %v", took)
		}
		late.giveBack()
		first.giveBack()
	})
}

// TestCoreQueueAtRandom has connections take places, give them back and end, also from elsewhere.
// No place is lost, and no more are taken than there are.
func TestCoreQueueAtRandom(t *testing.T) {
	queue := make(coreQueue, 3)
	var all sync.WaitGroup
	var working atomic.Int32
	for range 50 {
		c := newCore(queue)
		kept := rand.IntN(2) == 0 // nothing else gives its place back
		all.Go(func() {
			for range 200 {
				c.take()
				if kept {
					if n := working.Add(1); int(n) > cap(queue) {
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
	if len(queue) != 0 {
		t.Errorf("%d places are lost", len(queue))
	}
}
