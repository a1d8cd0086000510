package load

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestSearch(t *testing.T) {
	for _, tt := range []struct{ knee, limit, low, high float64 }{
		{knee: 73_500, limit: 1e6, low: 70_000, high: 73_500},
		{knee: 1000, limit: 1e6, low: 1000, high: 1000},
		{knee: 999, limit: 1e6, low: 0, high: 0},
		{knee: 1e9, limit: 50_000, low: 50_000, high: 50_000},
	} {
		tries := 0
		got, err := search(1000, tt.limit, 0.05, func(rate float64) (bool, error) {
			tries++
			return rate <= tt.knee, nil
		})
		if err != nil || got < tt.low || got > tt.high || tries > 15 {
			t.Errorf("knee at %v: found %v in %d tries (error %v), want %v to %v", tt.knee, got,
				tries, err, tt.low, tt.high)
		}
	}
	broken := errors.New("broken")
	if got, err := search(1, 8, 0.1, func(rate float64) (bool, error) {
		if rate == 4 {
			return false, broken
		}
		return true, nil
	}); err != broken || got != 2 {
		t.Errorf("got %v, %v; want the best so far, 2, and the error", got, err)
	}
}

// TestFindKnee measures a server that takes 1 ms a request on one connection, so its knee is at
// 1000 a second.
func TestFindKnee(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{delay: func(int) time.Duration { return time.Millisecond }}
		cfg := Config{Dial: s.dial, Sleep: time.Sleep, Requests: constant, Conns: 1, Rate: 100,
			Duration: 2 * time.Second}
		const limit = 5 * time.Millisecond
		steps := 0
		knee, err := FindKnee(t.Context(), cfg, limit, func(KneeStep) { steps++ })
		if err != nil || knee.Rate < 950 || knee.Rate > 1003 || steps != len(knee.Steps) {
			t.Errorf("knee at %v after %d steps, error %v; want 1000", knee.Rate, steps, err)
		}
		for _, s := range knee.Steps {
			if s.OK != (s.Rate <= 1003) {
				t.Errorf("a rate of %v: ok %v, p99 %v", s.Rate, s.OK, s.P99)
			}
		}
		cfg.Rate = -5
		if _, err := FindKnee(t.Context(), cfg, limit, nil); err == nil {
			t.Error("a negative start was accepted")
		}
	})
}
