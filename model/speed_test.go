package model

import (
	"math"
	"runtime/debug"
	"slices"
	"testing"
	"time"
)

func TestForecastDoesNotAllocate(t *testing.T) {
	m, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float64, m.in)
	var sum float64
	if n := testing.AllocsPerRun(100, func() {
		f := m.Forecast(x, MaxDays)
		for h := 1; h <= MaxDays; h++ {
			lower, upper := f.Interval(h, 0.95)
			sum += upper - lower
		}
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

// builtWithRace reports whether the race detector is part of the test binary.
func builtWithRace() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// TestForecastIsFast takes the best of many tries, and allows four times the budgets of 5 and 20
// microseconds that BenchmarkForecast is held to, because the machine may be busy.
func TestForecastIsFast(t *testing.T) {
	if builtWithRace() {
		t.Skip("the race detector slows arithmetic")
	}
	m, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float64, m.in)
	for days, limit := range map[int]time.Duration{5: 20 * time.Microsecond,
		MaxDays: 80 * time.Microsecond} {
		best := time.Hour
		for range 200 {
			start := time.Now()
			for range 10 {
				f := m.Forecast(x, days)
				for h := 1; h <= days; h++ {
					f.Interval(h, 0.95)
				}
			}
			best = min(best, time.Since(start)/10)
		}
		if best > limit {
			t.Errorf("%d days take %v, want at most %v", days, best, limit)
		}
	}
}

func BenchmarkForecast(b *testing.B) {
	m, err := Embedded()
	if err != nil {
		b.Fatal(err)
	}
	x := make([]float64, m.in)
	for _, days := range []int{5, MaxDays} {
		b.Run(map[int]string{5: "5days", MaxDays: "30days"}[days], func(b *testing.B) {
			b.ReportAllocs()
			var sum float64
			for b.Loop() {
				f := m.Forecast(x, days)
				for h := 1; h <= days; h++ {
					lower, upper := f.Interval(h, 0.95)
					sum += upper - lower
				}
			}
			if math.IsNaN(sum) {
				b.Fatal("NaN")
			}
		})
	}
}
