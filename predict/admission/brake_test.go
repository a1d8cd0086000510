package admission

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestStanding(t *testing.T) {
	const ms = time.Millisecond
	s := standing{empty: ms, interval: 100 * ms}
	for _, step := range []struct {
		at, took   time.Duration
		found, now bool // whether there was a queue, and whether it has stood for long
	}{
		{10 * ms, 0, false, false},
		{10_020 * ms, 10_000 * ms, true, false}, // all stood still
		{10_025 * ms, 5 * ms, true, false},
		{10_119 * ms, 5 * ms, true, false},
		{10_120 * ms, ms, true, true},
		{10_130 * ms, ms - 1, false, false}, // an idle moment
		{10_140 * ms, 5 * ms, true, false},
		{10_239 * ms, 5 * ms, true, false},
		{10_240 * ms, 5 * ms, true, true},
	} {
		if found := s.saw(step.took, step.at); found != step.found || s.long(step.at) != step.now {
			t.Errorf("at %v, after a probe that took %v: found %v, long %v; want %v, %v", step.at,
				step.took, found, s.long(step.at), step.found, step.now)
		}
	}
}

// TestBrake goes through a burst, an overload, and its end.
func TestBrake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lag := &Lag{asked: make(chan struct{}, 1), epoch: time.Now(),
			queue: standing{interval: 100 * time.Millisecond}}
		stands := func(yes bool) { lag.queue.stands, lag.queue.since = yes, lag.now()-time.Second }
		b := NewBrake(2, 50*time.Millisecond, lag)
		admit := func(what string, want int) {
			t.Helper()
			n := 0
			for n <= 2*want && !b.Full() && b.Enter() {
				n++
			}
			for range n {
				b.inside.Add(-1) // as Leave, but nothing was done
			}
			if n != want {
				t.Errorf("%s: %d at once, want %d", what, n, want)
			}
		}
		admit("at first", 2*burst)
		stands(true)
		admit("overloaded", 2)
		stands(false)
		admit("as soon as that helps", 2)
		time.Sleep(99 * time.Millisecond)
		admit("while some are refused", 2)
		time.Sleep(100 * time.Millisecond)
		admit("after a while without", 2*burst)
		if got := b.Refused(); got != 5 {
			t.Errorf("%d refused, want one in each of five attempts", got)
		}

		// 40 in 100 ms are 20 in the 50 ms of patience.
		for range 40 {
			b.Enter()
			b.Leave()
		}
		time.Sleep(100 * time.Millisecond)
		stands(true)
		admit("overloaded by what is soon done", 20)
		time.Sleep(100 * time.Millisecond)
		admit("overloaded by what takes long", 2)

		// What is refused on entry, because others came since it was asked whether there is room,
		// is no longer inside.
		stands(true)
		for i, want := range []bool{true, true, false} {
			if got := b.Enter(); got != want {
				t.Errorf("number %d let in: %v, want %v", i+1, got, want)
			}
		}
		if !b.Full() {
			t.Error("two are inside, and there is room")
		}
		b.Leave()
		if b.Full() || !b.Enter() {
			t.Error("no room for the next when one has left")
		}
	})
}

// TestLag keeps every core busy and then none.
func TestLag(t *testing.T) {
	lag, err := NewLag()
	if err != nil {
		t.Fatal(err)
	}
	defer lag.Close()
	if runtime.GOOS == "windows" {
		t.Skip("the poller cannot wait for a pipe there")
	}
	until := func(want bool) {
		t.Helper()
		for began := time.Now(); lag.Standing() != want; time.Sleep(time.Millisecond) {
			if time.Since(began) > 20*time.Second {
				t.Fatalf("Standing is still %v", !want)
			}
		}
	}
	until(false)
	var stop atomic.Bool
	var busy sync.WaitGroup
	for range 8 * runtime.GOMAXPROCS(0) {
		busy.Go(func() {
			for !stop.Load() {
				for began := time.Now(); time.Since(began) < time.Millisecond; {
				}
				runtime.Gosched()
			}
		})
	}
	until(true)
	stop.Store(true)
	busy.Wait()
	until(false)
}
