package calibrate

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/market"
)

// walkPanel makes tickers whose returns have clustered volatility, partly in common.
func walkPanel(t testing.TB, seed uint64, tickers, days int) *market.Panel {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	common := make([]float64, days)
	v := 0.0
	for i := range common {
		v = 0.97*v + 0.1*rng.NormFloat64()
		common[i] = v
	}
	var all []market.Series
	for k := range tickers {
		s := market.Series{Ticker: "T" + string(rune('A'+k/26)) + string(rune('A'+k%26))}
		day, price := calendar.Of(2012, 1, 3), 50.0
		own := 0.01 + 0.01*rng.Float64()
		for i := range days {
			day = calendar.Default().Next(day, 1)
			price *= math.Exp(own * math.Exp(common[i]) * rng.NormFloat64())
			s.Dates, s.Close = append(s.Dates, day), append(s.Close, price)
		}
		all = append(all, s)
	}
	p, err := market.NewPanel(all)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func embedded(t testing.TB) *model.Model {
	t.Helper()
	m, err := model.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// widened returns the embedded model with all bounds by times as far.
func widened(t *testing.T, by float64) *model.Model {
	t.Helper()
	var delta [model.MaxDays][model.Levels]float64
	for h := range delta {
		for l := range delta[h] {
			delta[h][l] = math.Log(by)
		}
	}
	m, err := embedded(t).Adjusted(&delta)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func adjusted(t testing.TB, m *model.Model, mk *market.Market) *model.Model {
	t.Helper()
	m, err := Adjust(t.Context(), m, mk.Daily())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mustMarket(t testing.TB, p *market.Panel) *market.Market {
	t.Helper()
	mk, err := market.New(t.Context(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return mk
}

func width(m *model.Model, mk *market.Market, h int, confidence float64) float64 {
	f := m.Forecast(mk.Tickers()[0].Features[:], model.MaxDays)
	lower, upper := f.Interval(h, confidence)
	return upper - lower
}

// TestAdjustMovesTowardWhatThePanelShows gives models that are too wide and too narrow for a
// panel of ten years.
func TestAdjustMovesTowardWhatThePanelShows(t *testing.T) {
	mk := mustMarket(t, walkPanel(t, 1, 30, 2500))
	right := adjusted(t, embedded(t), mk)
	for _, by := range []float64{0.8, 1.3} {
		wrong := widened(t, by)
		better := adjusted(t, wrong, mk)
		for _, h := range []int{1, 10, 30} {
			want := width(right, mk, h, 0.95)
			before, after := width(wrong, mk, h, 0.95)/want, width(better, mk, h, 0.95)/want
			if math.Abs(math.Log(after)) > 0.65*math.Abs(math.Log(before)) {
				t.Errorf("%d days: a model %v times too wide is %v times too wide once calibrated",
					h, before, after)
			}
		}
	}
}

// TestAdjustDoubtsWidth checks that bounds too near move out in full, and that bounds too far move
// in except for what noise explains.
func TestAdjustDoubtsWidth(t *testing.T) {
	mk := mustMarket(t, walkPanel(t, 1, 30, 2500))
	narrow, wide := adjusted(t, widened(t, 0.7), mk), adjusted(t, widened(t, 1.5), mk)
	for _, h := range []int{1, 10, 30} {
		for l, confidence := range model.Confidences {
			got := math.Log(width(wide, mk, h, confidence) / width(narrow, mk, h, confidence))
			if want := doubt * WidthNoise(h, l, 2500); math.Abs(got-want) > 0.25*want+0.01 {
				t.Errorf("%d days, %v: from too wide it ends %.3f wider than from too narrow, "+
					"want %.3f", h, confidence, got, want)
			}
		}
	}
}

func TestAdjustLeavesAShortPanelAlone(t *testing.T) {
	m := embedded(t)
	if got := adjusted(t, m, mustMarket(t, walkPanel(t, 2, 30, 300))); got != m {
		t.Error("300 days changed the model")
	}
}

// TestAdjustKeepsLevelsApart uses a panel with tails so thin that levels would cross if each moved
// as far as its own coverage asks.
func TestAdjustKeepsLevelsApart(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 0))
	var all []market.Series
	for _, name := range []string{"A", "B", "C", "D", "E", "F"} {
		s := market.Series{Ticker: name}
		day, price := calendar.Of(2012, 1, 3), 10.0
		for range 1500 {
			day = calendar.Default().Next(day, 1)
			price *= math.Exp(0.02 * float64(2*rng.IntN(2)-1)) // up or down, nothing else
			s.Dates, s.Close = append(s.Dates, day), append(s.Close, price)
		}
		all = append(all, s)
	}
	p, err := market.NewPanel(all)
	if err != nil {
		t.Fatal(err)
	}
	mk := mustMarket(t, p)
	m := adjusted(t, embedded(t), mk)
	f := m.Forecast(mk.Tickers()[0].Features[:], model.MaxDays)
	for h := 1; h <= model.MaxDays; h++ {
		for l := 1; l < model.Levels; l++ {
			for side, d := range f.Distance(h) {
				if !(d[l] > d[l-1]) {
					t.Fatalf("day %d, side %d: confidence %v is no wider than %v", h, side,
						model.Confidences[l], model.Confidences[l-1])
				}
			}
		}
	}
}

func TestSmoothInLogDaysKeepsALine(t *testing.T) {
	var raw [model.MaxDays]float64
	for h := range raw {
		raw[h] = 0.3 - 0.2*math.Log(float64(h+1))
	}
	got := smoothInLogDays(&raw)
	for h := range raw {
		if math.Abs(got[h]-raw[h]) > 1e-9 {
			t.Errorf("day %d: got %v, want %v", h+1, got[h], raw[h])
		}
	}
}

// TestAdjustStops cancels before the work, and in the middle of it.
func TestAdjustStops(t *testing.T) {
	mk := mustMarket(t, walkPanel(t, 5, 60, 2500))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m, err := Adjust(ctx, embedded(t), mk.Daily())
	if m != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v and error %v, want %v", m, err, context.Canceled)
	}
	ctx, cancel = context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err = Adjust(ctx, embedded(t), mk.Daily())
	// The whole work takes many times as long.
	if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v after %v, want %v", err, took, context.DeadlineExceeded)
	}
}

// BenchmarkAdjust owns the time that loading ten years of 500 tickers may take.
func BenchmarkAdjust(b *testing.B) {
	mk := mustMarket(b, walkPanel(b, 4, 500, 2500))
	m, err := model.Embedded()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Adjust(b.Context(), m, mk.Daily()); err != nil {
			b.Fatal(err)
		}
	}
}
