package limits

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestGiveBack: memory is given back in a quiet time after it was taken, less and less often where
// that does not help, and not while the process is busy or has hardly grown.
func TestGiveBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // guards what follows
		now, freed, live := use{held: 100}, 0, uint64(60)
		read := func() use {
			mu.Lock()
			defer mu.Unlock()
			return now
		}
		free := func() {
			mu.Lock()
			defer mu.Unlock()
			now.held, freed = live, freed+1
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan bool)
		go func() {
			giveBack(ctx, read, free)
			close(ended)
		}()
		for _, step := range []struct {
			held, cycles uint64 // from then on, and more of them in the next step of time
			live         uint64 // of them
			want         int    // calls of free so far
		}{
			{100, 0, 60, 1}, // what the start has taken
			{60, 0, 60, 2},
			{60, 0, 60, 2},
			{66, 0, 60, 2},   // hardly more
			{200, 50, 60, 2}, // busy
			{200, 3, 60, 2},
			{200, 2, 100, 3}, // quiet, but some of it is still in use
			{100, 0, 60, 4},
			{60, 0, 60, 4},
			{50, 0, 50, 4}, // the runtime has given back some itself
			{80, 0, 80, 5}, // it needs more
			{80, 0, 80, 5},
			{80, 0, 80, 6}, // tried again, and then after two looks
			{80, 0, 80, 6},
			{80, 0, 80, 6},
			{80, 0, 50, 7},
		} {
			synctest.Wait()
			mu.Lock()
			now.held, live = step.held, step.live
			now.cycles += step.cycles
			mu.Unlock()
			time.Sleep(giveBackEvery)
			synctest.Wait()
			mu.Lock()
			got := freed
			mu.Unlock()
			if got != step.want {
				t.Errorf("%+v: got memory freed %d times", step, got)
			}
		}
		cancel()
		<-ended
	})
}

// TestReadUse: a large allocation shows.
func TestReadUse(t *testing.T) {
	before := readUse()
	b := make([]byte, 64<<20)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	if after := readUse(); before.held == 0 || after.held < before.held+32<<20 {
		t.Errorf("got %+v, then %+v with 64 MiB more", before, after)
	}
	b[0]++
}
