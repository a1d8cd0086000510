package train

import (
	"math"
	"math/rand/v2"
	"testing"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/market"
)

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

func mustMarket(t testing.TB, p *market.Panel) *market.Market {
	t.Helper()
	mk, err := market.New(p)
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

// TestCalibrateMovesTowardWhatThePanelShows gives models that are too wide and too narrow for a
// panel of ten years.
func TestCalibrateMovesTowardWhatThePanelShows(t *testing.T) {
	mk := mustMarket(t, walkPanel(t, 1, 30, 2500))
	right, err := Calibrate(embedded(t), mk)
	if err != nil {
		t.Fatal(err)
	}
	for _, by := range []float64{0.8, 1.3} {
		wrong := widened(t, by)
		better, err := Calibrate(wrong, mk)
		if err != nil {
			t.Fatal(err)
		}
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

// TestCalibrateDoubtsWidth: what is too narrow is mended in full, what is too wide only beyond what
// chance explains.
func TestCalibrateDoubtsWidth(t *testing.T) {
	mk := mustMarket(t, walkPanel(t, 1, 30, 2500))
	calibrated := func(by float64) *model.Model {
		m, err := Calibrate(widened(t, by), mk)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	narrow, wide := calibrated(0.7), calibrated(1.5)
	for _, h := range []int{1, 10, 30} {
		for l, confidence := range model.Confidences {
			got := math.Log(width(wide, mk, h, confidence) / width(narrow, mk, h, confidence))
			if want := calibrateDoubt * noise(h, l, 2500); math.Abs(got-want) > 0.25*want+0.01 {
				t.Errorf("%d days, %v: from too wide ends %.3f wider than from too narrow, want %.3f", h, confidence, got, want)
			}
		}
	}
}

func TestCalibrateLeavesAShortPanelAlone(t *testing.T) {
	m := embedded(t)
	got, err := Calibrate(m, mustMarket(t, walkPanel(t, 2, 30, 300)))
	if err != nil {
		t.Fatal(err)
	}
	if got != m {
		t.Error("300 days changed the model")
	}
}

// TestCalibrateKeepsLevelsApart feeds a panel whose tails are so thin that levels would cross if
// each were moved as it asks.
func TestCalibrateKeepsLevelsApart(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 0))
	var all []market.Series
	for _, name := range []string{"A", "B", "C", "D", "E", "F"} {
		s := market.Series{Ticker: name}
		day, price := calendar.Of(2012, 1, 3), 10.0
		for range 1500 {
			day = calendar.Next(day, 1)
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
	m, err := Calibrate(embedded(t), mk)
	if err != nil {
		t.Fatal(err)
	}
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

// TestExtremeSeriesKeepThePromises takes the way of a request with its own history.
func TestExtremeSeriesKeepThePromises(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 0))
	m := embedded(t)
	for name, price := range map[string]func(i int) float64{
		"never moved":    func(int) float64 { return 5 },
		"moved once":     func(i int) float64 { return 5 + float64(i/29) },
		"jumps by half":  func(int) float64 { return math.Exp(0.5 * float64(rng.IntN(3)-1)) },
		"up every day":   func(i int) float64 { return math.Exp(0.3 * float64(i)) },
		"down every day": func(i int) float64 { return 1000 * math.Exp(-0.1*float64(i)) },
		"tiny prices":    func(int) float64 { return 1e-9 * (1 + rng.Float64()) },
		"mostly stale":   func(i int) float64 { return 20 + float64(i/15%2) },
	} {
		for _, n := range []int{market.MinHistory, 100} {
			closes := make([]float64, n)
			for i := range closes {
				closes[i] = price(i)
			}
			x, err := market.FromHistory("OWN", 0, closes)
			if err != nil {
				t.Fatal(err)
			}
			f := m.Forecast(x.Features[:], model.MaxDays)
			var widest [model.Levels]float64
			for h := 1; h <= model.MaxDays; h++ {
				middle := x.Close * math.Exp(f.Median(h))
				below, above := middle, middle
				for l, c := range model.Confidences {
					lower, upper := f.Interval(h, c)
					a, b := x.Close*math.Exp(lower), x.Close*math.Exp(upper)
					if !(0 < a && a < middle && middle < b && !math.IsInf(b, 0)) {
						t.Fatalf("%s, %d closes, day %d, confidence %v: got %v < %v < %v", name, n,
							h, c, a, middle, b)
					}
					if a > below || b < above || b-a < widest[l] {
						t.Fatalf("%s, %d closes, day %d: confidence %v is narrower than a lower "+
							"one or than the day before", name, n, h, c)
					}
					below, above, widest[l] = a, b, b-a
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

// BenchmarkCalibrate owns the time that loading ten years of 500 tickers may take.
func BenchmarkCalibrate(b *testing.B) {
	mk := mustMarket(b, walkPanel(b, 4, 500, 2500))
	m, err := model.Embedded()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Calibrate(m, mk); err != nil {
			b.Fatal(err)
		}
	}
}
