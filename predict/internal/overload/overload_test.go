package overload_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tickercast/predict/internal/overload"
)

// What a Limiter lets in for each core, of calls of this size.
const (
	slots   = 2
	waiting = 32
	size    = 384 << 10 / waiting
)

// hold acquires in a goroutine of its own and keeps the slot until release is closed. It sends the
// error of Acquire.
func hold(l *overload.Limiter, release <-chan struct{}) <-chan error {
	return holdSize(l, release, size)
}

func holdSize(l *overload.Limiter, release <-chan struct{}, size int) <-chan error {
	acquired := make(chan error, 1)
	go func() {
		done, err := l.Acquire(context.Background(), size)
		acquired <- err
		if err == nil {
			<-release
			done()
		}
	}()
	return acquired
}

func TestFull(t *testing.T) {
	for _, cores := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			l := overload.New(cores)
			release := make(chan struct{})
			var calls []<-chan error
			for range (slots + waiting) * cores {
				if l.Full(size) {
					t.Fatalf("full after %d calls", len(calls))
				}
				calls = append(calls, hold(l, release))
				synctest.Wait()
			}
			running := 0
			for _, c := range calls {
				running += len(c)
			}
			if running != slots*cores {
				t.Errorf("%d calls run, want %d", running, slots*cores)
			}
			done, err := l.Acquire(t.Context(), size)
			if !errors.Is(err, overload.ErrFull) || done != nil {
				t.Errorf("one more: got %v, want ErrFull and no release", err)
			}
			if !l.Full(size) {
				t.Error("Full says that there is room")
			}
			if got := l.Refused(); got != 2 {
				t.Errorf("%d refused, want the call that asked and the one that looked", got)
			}
			close(release)
			for i, c := range calls {
				if err := <-c; err != nil {
					t.Errorf("call %d: %v", i, err)
				}
			}
			synctest.Wait()
			if l.Full(size) || l.Refused() != 2 {
				t.Errorf("full, or %d refused, although no call is there", l.Refused())
			}
		})
	}
}

// TestOrder has calls wait and then run one after the other: in the order in which they came.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := overload.New(1)
		release := make(chan struct{})
		<-hold(l, release)
		<-hold(l, release)
		ran := make(chan int)
		var calls sync.WaitGroup
		for i := range waiting {
			calls.Go(func() {
				done, err := l.Acquire(t.Context(), size)
				if err != nil {
					t.Error(err)
					return
				}
				ran <- i
				done()
			})
			synctest.Wait()
		}
		release <- struct{}{} // frees one slot of the two
		for want := range waiting {
			if got := <-ran; got != want {
				t.Errorf("call %d ran when %d should", got, want)
			}
		}
		calls.Wait()
		close(release)
	})
}

// TestLargeCall: calls larger than all that may wait are let in where few others wait, and small
// ones fit beside others where they do not.
func TestLargeCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := overload.New(1)
		release := make(chan struct{})
		defer close(release)
		<-hold(l, release)
		<-hold(l, release)
		const large = 2 * waiting * size
		for i := range 6 {
			if l.Full(large) {
				t.Errorf("%d others wait, and it is refused", i)
			}
			hold(l, release)
			synctest.Wait()
		}
		if !l.Full(large) {
			t.Error("six others wait, and it is let in")
		}
		if _, err := l.Acquire(t.Context(), large); !errors.Is(err, overload.ErrFull) {
			t.Errorf("got %v, want ErrFull", err)
		}
		if l.Full(size) {
			t.Error("a small one is refused")
		}
	})
}

// TestContextEnds cancels calls that wait: they leave at once, and others get their places.
func TestContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := overload.New(1)
		release := make(chan struct{})
		<-hold(l, release)
		<-hold(l, release)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		left := make(chan error)
		for range waiting {
			go func() {
				_, err := l.Acquire(ctx, size)
				left <- err
			}()
		}
		synctest.Wait()
		if !l.Full(size) {
			t.Error("room although as many wait as may")
		}
		began := time.Now()
		for range waiting {
			if err := <-left; !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want the error of the context", err)
			}
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("waited for %v, want 1s", took)
		}
		if l.Full(size) {
			t.Error("calls that have left still count")
		}
		next := hold(l, release)
		close(release)
		if err := <-next; err != nil {
			t.Errorf("after the others have left: %v", err)
		}
	})
}

// TestRandomCalls has calls come, wait, be refused, give up and end at random times. No more of
// them run than may, each refusal is counted, and in the end all slots are free.
func TestRandomCalls(t *testing.T) {
	const cores = 2
	var ran, gaveUp, full atomic.Int64 // over all seeds
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			l := overload.New(cores)
			var running, refused atomic.Int64
			call := func(rnd *rand.Rand) {
				upTo := func(most time.Duration) time.Duration {
					return time.Duration(rnd.Int64N(int64(most)))
				}
				time.Sleep(upTo(40 * time.Millisecond))
				ctx, cancel := context.WithTimeout(t.Context(), upTo(100*time.Millisecond))
				defer cancel()
				done, err := l.Acquire(ctx, size)
				switch {
				case err == nil:
					if n := running.Add(1); n > slots*cores {
						t.Errorf("seed %d: %d calls run at once", seed, n)
					}
					time.Sleep(upTo(20 * time.Millisecond))
					running.Add(-1)
					done()
					ran.Add(1)
				case errors.Is(err, overload.ErrFull):
					refused.Add(1)
				case ctx.Err() == nil:
					t.Errorf("seed %d: gave up before its time: %v", seed, err)
				default:
					gaveUp.Add(1)
				}
			}
			var callers sync.WaitGroup
			for i := range uint64(50 * cores) {
				callers.Go(func() {
					rnd := rand.New(rand.NewPCG(seed, i))
					for range 30 {
						call(rnd)
					}
				})
			}
			callers.Wait()
			if got, want := l.Refused(), uint64(refused.Load()); got != want {
				t.Errorf("seed %d: %d refused, want %d", seed, got, want)
			}
			full.Add(refused.Load())
			for range slots * cores {
				if _, err := l.Acquire(t.Context(), size); err != nil {
					t.Errorf("seed %d: at the end: %v", seed, err)
				}
			}
		})
	}
	if ran.Load() == 0 || gaveUp.Load() == 0 || full.Load() == 0 {
		t.Errorf("%d calls ran, %d gave up and %d were refused: want some of each", ran.Load(),
			gaveUp.Load(), full.Load())
	}
}

// TestAcquireAllocatesLittle: the release knows the call that it ends.
func TestAcquireAllocatesLittle(t *testing.T) {
	l := overload.New(1)
	ctx := t.Context()
	if n := testing.AllocsPerRun(1000, func() {
		done, err := l.Acquire(ctx, size)
		if err != nil {
			t.Fatal(err)
		}
		done()
	}); n > 1 {
		t.Errorf("%v allocations, want one at most", n)
	}
}

func BenchmarkAcquire(b *testing.B) {
	l := overload.New(1)
	b.ReportAllocs()
	for b.Loop() {
		done, err := l.Acquire(context.Background(), size)
		if err != nil {
			b.Fatal(err)
		}
		done()
	}
}
