package market_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"tickercast/model"
	"tickercast/model/market"
)

// TestExtremeSeriesKeepThePromises takes the way of a request with its own history.
func TestExtremeSeriesKeepThePromises(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 0))
	m, err := model.Embedded()
	if err != nil {
		t.Fatal(err)
	}
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
