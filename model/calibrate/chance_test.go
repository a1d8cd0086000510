package calibrate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"tickercast/model/calendar"
	"tickercast/model/market"
)

// A panelKind says how random prices come about.
type panelKind struct {
	tickers, days int
	common        float64 // share of the variance that all tickers have in common
	freedom       int     // of Student's t; 0: normal
	wander        float64 // standard deviation of the daily change of common log volatility
	garch         bool    // own volatility is that of a GARCH(1,1)
	times         float64 // how many times as volatile the last 60 days are
}

func (k panelKind) panel(t testing.TB, seed uint64) *market.Panel {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 17))
	draw := func() float64 {
		z := rng.NormFloat64()
		if k.freedom == 0 {
			return z
		}
		squares := 0.0
		for range k.freedom {
			n := rng.NormFloat64()
			squares += n * n
		}
		return z * math.Sqrt(float64(k.freedom-2)/squares) // of variance 1
	}
	shared, volatility := make([]float64, k.days), make([]float64, k.days)
	level := 0.0
	for i := range shared {
		level = 0.97*level + k.wander*rng.NormFloat64()
		volatility[i] = math.Exp(level)
		if i >= k.days-60 {
			volatility[i] *= k.times
		}
		shared[i] = draw()
	}
	var all []market.Series
	for n := range k.tickers {
		s := market.Series{Ticker: fmt.Sprintf("T%d", n)}
		day, price, own, h := calendar.Of(2012, 1, 3), 50.0, 0.01+0.01*rng.Float64(), 1.0
		for i := range k.days {
			day = calendar.Default().Next(day, 1)
			z := math.Sqrt(k.common)*shared[i] + math.Sqrt(1-k.common)*draw()
			if k.garch {
				z *= math.Sqrt(h)
				h = 0.03 + 0.09*z*z + 0.88*h
			}
			price *= math.Exp(own * volatility[i] * z)
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

// panelKinds are other kinds than those that the limits of chance were set on.
var panelKinds = []panelKind{
	{tickers: 30, days: 450},
	{tickers: 12, days: 600, freedom: 4},
	{tickers: 60, days: 450, common: 0.3, freedom: 6},
	{tickers: 30, days: 500, common: 0.2, garch: true},
	{tickers: 40, days: 450, common: 0.5, garch: true, freedom: 8},
	{tickers: 30, days: 450, common: 0.3, wander: 0.06},
	{tickers: 5, days: 450, common: 0.6},
	{tickers: 2, days: 450, freedom: 5},
}

// TestChanceExplains makes panels of many kinds: as they are, few are beyond chance, and most are
// when they become three times as volatile. Run it with -v for the figures, and with
// TICKERCAST_PANELS=200 for as many panels of each.
func TestChanceExplains(t *testing.T) {
	if testing.Short() {
		t.Skip("many panels")
	}
	panels, err := strconv.Atoi(os.Getenv("TICKERCAST_PANELS"))
	if err != nil {
		panels = 5
	}
	beyond := func(k panelKind) (few, many int) {
		for seed := range panels {
			r := judge(t, Fixed(embedded(t)), k.panel(t, uint64(1000+seed)), 120)
			if r.TooFew > 1 {
				few++
			}
			if r.TooMany > 1 {
				many++
			}
		}
		return few, many
	}
	var calm, wild int
	for _, k := range panelKinds {
		line := fmt.Sprintf("%+v, of %d beyond chance:", k, panels)
		for _, k.times = range []float64{1, 1.5, 2, 3} {
			few, many := beyond(k)
			line += fmt.Sprintf(" %v times %d few %d many;", k.times, few, many)
			switch k.times {
			case 1:
				calm += few + many
			case 3:
				wild += few
			}
		}
		t.Log(line)
	}
	all := panels * len(panelKinds)
	if 100*calm > 5*all {
		t.Errorf("%d of %d panels are beyond chance as they are, want at most 5 %%", calm, all)
	}
	if 100*wild < 80*all {
		t.Errorf("%d of %d panels are beyond chance when three times as volatile, want 80 %%", wild,
			all)
	}
}

// TestTooManyInside: intervals far too wide are as wrong as those too narrow.
func TestTooManyInside(t *testing.T) {
	p := panelKind{tickers: 20, days: 450, common: 0.5, times: 1}.panel(t, 1)
	if r := judge(t, Fixed(widened(t, 2)), p, 120); !(r.TooMany > 1 && r.TooFew < 0) {
		t.Errorf("twice too wide: got too few %v, too many %v", r.TooFew, r.TooMany)
	}
	if r := judge(t, Fixed(widened(t, 0.5)), p, 120); !(r.TooFew > 1 && r.TooMany < 0) {
		t.Errorf("twice too narrow: got too few %v, too many %v", r.TooFew, r.TooMany)
	}
	if r := judge(t, Fixed(embedded(t)), p, leastDates-1); r.TooFew == r.TooFew {
		t.Errorf("%d dates: got %v, want no answer", leastDates-1, r.TooFew)
	}
}
