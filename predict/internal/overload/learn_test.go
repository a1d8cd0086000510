package overload_test

import (
	"testing"
	"testing/synctest"
	"time"

	"tickercast/predict/internal/overload"
)

// TestLearns: how much may wait follows what calls took, and a single call that was kept from
// running hardly moves it.
func TestLearns(t *testing.T) {
	const body = 3 << 10 // of a history
	// room is how many calls of a size may wait.
	room := func(l *overload.Limiter) (n int) {
		release := make(chan struct{})
		defer close(release)
		for ; n < 5000 && !l.Full(body); n++ {
			holdSize(l, release, body)
			synctest.Wait()
		}
		return n - slots
	}
	for _, c := range []struct {
		took           time.Duration // each call
		outlier        time.Duration // the last one
		atLeast, below int
	}{
		{50 * time.Microsecond, 0, 450, 550},
		{50 * time.Microsecond, time.Second, 350, 450},
		{500 * time.Microsecond, 0, 45, 55},
		{20 * time.Millisecond, 0, 6, 7},
		{time.Second, 0, 6, 7},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := overload.New(1)
			for i := range 200 {
				done, err := l.Acquire(t.Context(), body)
				if err != nil {
					t.Fatal(err)
				}
				if time.Sleep(c.took); i == 199 {
					time.Sleep(c.outlier)
				}
				done()
			}
			if got := room(l); got < c.atLeast || got >= c.below {
				t.Errorf("after calls of %v and one of %v: %d may wait, want %d to %d", c.took,
					c.outlier, got, c.atLeast, c.below)
			}
		})
	}
}
