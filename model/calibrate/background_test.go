package calibrate

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// TestBackgroundRests: work in the background rests several times as long as it works, by what it
// says of its own time; other work does not rest.
func TestBackgroundRests(t *testing.T) {
	p := walkPanel(t, 10, 30, 900)
	synctest.Test(t, func(t *testing.T) {
		mk := mustMarket(t, p)
		y := NewYearly(embedded(t), p, nil)
		origins := Origins(mk.Daily(), 120)
		begin := time.Now()
		if _, err := Judge(t.Context(), y.With(y.Base()), mk.Daily(), mk.MarketIndex(),
			origins); err != nil || time.Since(begin) > 0 {
			t.Fatalf("rested for %v, %v", time.Since(begin), err)
		}
		r, err := Judge(InBackground(t.Context()), y, mk.Daily(), mk.MarketIndex(), origins)
		if err != nil {
			t.Fatal(err)
		}
		// The step of calibration comes on top.
		work := time.Duration(r.Forecasts) * forecastTime
		if rested := time.Since(begin); rested < 4*work {
			t.Errorf("rested for %v of %v of work", rested, work)
		}
	})
}

// TestBackgroundStops ends work in its middle: it goes on for no more than a ticker, or than a day
// of the step of calibration that it begins with.
func TestBackgroundStops(t *testing.T) {
	p := walkPanel(t, 10, 30, 900)
	synctest.Test(t, func(t *testing.T) {
		mk := mustMarket(t, p)
		y := NewYearly(embedded(t), p, nil)
		origins := Origins(mk.Daily(), 120)
		for _, after := range []time.Duration{0, 3 * time.Millisecond, 70 * time.Millisecond,
			time.Second / 2} {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			begin := time.Now()
			_, err := Judge(InBackground(ctx), y.With(y.Base()), mk.Daily(), mk.MarketIndex(),
				origins)
			cancel()
			if took := time.Since(begin); !errors.Is(err, context.DeadlineExceeded) ||
				took > after+50*time.Millisecond {
				t.Errorf("after %v: got %v after %v", after, err, took)
			}
		}
	})
}

// TestJudgeTakesLittleMemory: all that judging allocates, garbage included, is a small part of what
// the prices take.
func TestJudgeTakesLittleMemory(t *testing.T) {
	p := walkPanel(t, 11, 60, 1500)
	mk := mustMarket(t, p)
	y := Fixed(embedded(t))
	origins := Origins(mk.Daily(), 120)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := Judge(t.Context(), y, mk.Daily(), mk.MarketIndex(), origins); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	const rowBytes = 8 + 4 // a close and its date
	if got, all := after.TotalAlloc-before.TotalAlloc, uint64(p.Rows()*rowBytes); got > all/5 {
		t.Errorf("allocated %d bytes beside %d of prices", got, all)
	}
}
