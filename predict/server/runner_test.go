package server

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestRunner has callers come and leave at random while runs take their time. Runs never overlap; a
// caller gets the error of a run that began after its call; a run begins only for callers that have
// not left; and no caller waits for more than two runs.
func TestRunner(t *testing.T) {
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) { testRunner(t, rand.New(rand.NewPCG(seed, 1))) })
	}
}

// An ended is the error of a run.
type ended struct{ began time.Time }

func (e ended) Error() string { return "ended" }

func testRunner(t *testing.T, rnd *rand.Rand) {
	const long = time.Second // of a run at most
	var mu sync.Mutex
	working := false
	waiting := map[int]time.Time{} // callers, with the time of their calls
	r := newRunner(func(context.Context, string) error {
		mu.Lock()
		if working {
			t.Error("two runs at once")
		}
		working = true
		if len(waiting) == 0 {
			t.Error("a run without a caller")
		}
		began := time.Now()
		takes := time.Duration(rnd.Int64N(int64(long)))
		mu.Unlock()
		time.Sleep(takes)
		mu.Lock()
		working = false
		mu.Unlock()
		return ended{began}
	})
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		r.serve(ctx)
	}()
	var callers sync.WaitGroup
	mu.Lock() // rnd is used by runs too
	for i := range 30 {
		comes := time.Duration(rnd.Int64N(int64(6 * long)))
		stays := 10 * long
		if rnd.IntN(2) == 0 {
			stays = time.Duration(rnd.Int64N(int64(long)))
		}
		callers.Go(func() {
			time.Sleep(comes)
			ctx, cancel := context.WithTimeout(ctx, stays)
			defer cancel()
			mu.Lock()
			called := time.Now()
			waiting[i] = called
			mu.Unlock()
			err := r.do(ctx, fmt.Sprint(i))
			mu.Lock()
			delete(waiting, i)
			mu.Unlock()
			e, ok := errors.AsType[ended](err)
			switch took := time.Since(called); {
			case ok && e.began.Before(called):
				t.Errorf("the run began %v before the call", called.Sub(e.began))
			case ok && took > 2*long:
				t.Errorf("a caller waited for %v", took)
			case !ok && stays > 2*long:
				t.Errorf("a caller that stayed got %v", err)
			case !ok && !errors.Is(err, context.DeadlineExceeded), !ok && took < stays:
				t.Errorf("got %v after %v of %v", err, took, stays)
			}
		})
	}
	mu.Unlock()
	callers.Wait()
	cancel()
	<-stopped
	if err := r.do(ctx, "late"); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: got %v", err)
	}
}

// TestRunnerRequests asks a thousand times while one run is under way: one more runs, also when all
// callers but the requests have left.
func TestRunnerRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int64
		r := newRunner(func(context.Context, string) error {
			runs.Add(1)
			time.Sleep(time.Second)
			return nil
		})
		go r.serve(t.Context())
		r.join("first")
		synctest.Wait()
		for range 1000 {
			r.join("SIGHUP")
			ctx, cancel := context.WithTimeout(t.Context(), time.Microsecond)
			r.do(ctx, "in a hurry")
			cancel()
		}
		time.Sleep(time.Minute)
		if runs.Load() != 2 {
			t.Errorf("%d runs, want 2", runs.Load())
		}
		// Callers that leave before their run begins need none.
		r.join("third")
		synctest.Wait()
		for range 1000 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Microsecond)
			r.do(ctx, "in a hurry")
			cancel()
		}
		time.Sleep(time.Minute)
		if runs.Load() != 3 {
			t.Errorf("%d runs, want 3", runs.Load())
		}
	})
}
