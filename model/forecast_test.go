package model

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"tickercast/model/calendar"
)

// randomParams makes sound parameters far wilder than any fit's.
func randomParams(rng *rand.Rand, features, hidden int) Params {
	p := Params{From: 10000, To: calendar.Of(2020, 6, 30), Features: []string{"log_scale"},
		Hidden: hidden, Drift: 1e-4}
	for i := 1; i < features; i++ {
		p.Features = append(p.Features, "feature_"+string(rune('a'+i)))
	}
	for _, part := range p.parts() {
		*part.v = make([]float32, part.size)
		for j := range *part.v {
			(*part.v)[j] = float32(rng.NormFloat64() / 2)
		}
	}
	for i := range p.Spread {
		p.Spread[i] = float32(0.1 + rng.Float64())
	}
	for h := range p.Quantiles {
		for side := range 2 {
			wide, stretch := rng.NormFloat64()/5, 0.5+rng.Float64()
			for l := range Levels {
				p.Quantiles[h][side][l] = float32(wide + stretch*levelZ[l])
			}
		}
	}
	return p
}

func mustParse(t testing.TB, p Params) *Model {
	t.Helper()
	b, err := p.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// wildFeatures draws features from plausible to absurd.
func wildFeatures(rng *rand.Rand, n int) []float64 {
	size := math.Pow(10, rng.Float64()*6-2)
	x := make([]float64, n)
	for i := range x {
		x[i] = size * rng.NormFloat64()
		switch rng.IntN(60) {
		case 0:
			x[i] = 0
		case 1:
			x[i] = math.Inf(rng.IntN(2)*2 - 1)
		case 2:
			x[i] = math.NaN()
		case 3:
			x[i] = math.MaxFloat64
		}
	}
	return x
}

// checkForecast holds everything that package model promises of a forecast.
func checkForecast(t *testing.T, f *Forecast, days int) {
	t.Helper()
	confidences := []float64{0.80, 0.801, 0.85, 0.87, 0.90, 0.925, 0.95, 0.96, 0.98, 0.985, 0.99}
	var widthBefore, priceWidthBefore [16]float64
	for h := 1; h <= days; h++ {
		median := f.Median(h)
		lowerBefore, upperBefore := median, median
		for i, c := range confidences {
			lower, upper := f.Interval(h, c)
			if !(lower < median && median < upper) {
				t.Fatalf("day %d, confidence %v: got %v < %v < %v", h, c, lower, median, upper)
			}
			for _, price := range []float64{1e-6, 0.37, 100, 6.5e5} {
				if p := price * math.Exp(median); !(price*math.Exp(lower) < p &&
					p < price*math.Exp(upper)) || math.IsInf(price*math.Exp(upper), 0) {
					t.Fatalf("day %d, confidence %v, price %v: %v and %v do not enclose the median",
						h, c, price, lower, upper)
				}
			}
			if lower > lowerBefore || upper < upperBefore {
				t.Fatalf("day %d: confidence %v gives %v to %v, inside the narrower's %v to %v", h,
					c, lower, upper, lowerBefore, upperBefore)
			}
			lowerBefore, upperBefore = lower, upper
			if w := upper - lower; w < widthBefore[i]-1e-12 {
				t.Fatalf("confidence %v: width %v on day %d after %v the day before", c, w, h,
					widthBefore[i])
			} else {
				widthBefore[i] = w
			}
			if w := math.Exp(upper) - math.Exp(lower); w < priceWidthBefore[i]-1e-12*w {
				t.Fatalf("confidence %v: width in price %v on day %d after %v the day before", c, w,
					h, priceWidthBefore[i])
			} else {
				priceWidthBefore[i] = w
			}
		}
	}
}

func TestForecastKeepsItsPromisesOnAnyFeatures(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		m := mustParse(t, randomParams(rng, 1+rng.IntN(40), rng.IntN(40)))
		for range 40 {
			days := 1 + rng.IntN(MaxDays)
			f := m.Forecast(wildFeatures(rng, m.in), days)
			checkForecast(t, &f, days)
		}
	}
}

func TestEmbeddedKeepsItsPromisesOnAnyFeatures(t *testing.T) {
	m, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		f := m.Forecast(wildFeatures(rng, m.in), MaxDays)
		checkForecast(t, &f, MaxDays)
	}
}

// slowForecast is the formula of the package's comment, written out.
func slowForecast(p Params, x []float64, h, side, level int) float64 {
	z := make([]float64, len(x))
	for i := range x {
		z[i] = max(-MaxInput, min(MaxInput, (x[i]-float64(p.Center[i]))/float64(p.Spread[i])))
	}
	hidden := make([]float64, p.Hidden)
	for j := range hidden {
		sum := float64(p.FirstBias[j])
		for i := range z {
			sum += float64(p.First[j*len(z)+i]) * z[i]
		}
		hidden[j] = Activation(sum)
	}
	curve := func(c, day int) float64 {
		u := 2*math.Log(float64(day))/math.Log(MaxDays) - 1
		value := 0.0
		for k := range Terms {
			o := c*Terms + k
			out := float64(p.LastBias[o])
			for i := range z {
				out += float64(p.Skip[o*len(z)+i]) * z[i]
			}
			for j := range hidden {
				out += float64(p.Last[o*p.Hidden+j]) * hidden[j]
			}
			value += out * math.Cos(float64(k)*math.Acos(u)) // Chebyshev
		}
		return value
	}
	widest := math.Inf(-1)
	for day := 1; day <= h; day++ {
		wide := max(-maxCurve, min(maxCurve, curve(side, day)))
		tail := max(MinTail, min(MaxTail, curve(2+side, day)))
		d := x[0] + math.Log(RefScale) + 0.5*math.Log(float64(day)) +
			float64(p.Quantiles[day-1][side][level]) + wide + tail*TailShape[level]
		widest = max(widest, max(minDistance, min(maxDistance, d)))
	}
	return widest
}

func TestForecastIsTheFormula(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 30 {
		p := randomParams(rng, 1+rng.IntN(40), rng.IntN(40))
		m := mustParse(t, p)
		x := make([]float64, m.in)
		for i := range x {
			x[i] = rng.NormFloat64()
		}
		f := m.Forecast(x, MaxDays)
		h, side, level := 1+rng.IntN(MaxDays), rng.IntN(2), rng.IntN(Levels)
		got, want := f.Distance(h)[side][level], slowForecast(p, x, h, side, level)
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("day %d, side %d, level %d: got %v, want %v", h, side, level, got, want)
		}
		lower, upper := f.Interval(h, Confidences[level])
		bound := [2]float64{f.Median(h) - lower, upper - f.Median(h)}[side]
		if math.Abs(math.Log(bound)-want) > 1e-9 {
			t.Errorf("day %d, side %d, confidence %v: got a distance of %v, want %v", h, side,
				Confidences[level], bound, math.Exp(want))
		}
	}
}

func TestFewerDaysAreThePrefixOfMore(t *testing.T) {
	m, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float64, m.in)
	long := m.Forecast(x, MaxDays)
	for days := 1; days <= MaxDays; days++ {
		short := m.Forecast(x, days)
		if *short.Distance(days) != *long.Distance(days) ||
			short.Median(days) != long.Median(days) {
			t.Errorf("day %d differs between forecasts of %d and %d days", days, days, MaxDays)
		}
		if *short.Distance(MaxDays) != *short.Distance(days) {
			t.Errorf("a forecast of %d days knows of day %d", days, MaxDays)
		}
	}
}

func TestMedianStaysOnTheFirstDay(t *testing.T) {
	m, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	f := m.Forecast(make([]float64, m.in), MaxDays)
	if got := f.Median(1); got != 0 {
		t.Errorf("got a median return of %v on day 1, want 0", got)
	}
	if got := f.Median(MaxDays); got < 0 || got > 0.006 {
		t.Errorf("got a median return of %v on day %d, want 0 to 0.006", got, MaxDays)
	}
}

func TestEmbeddedIsSmall(t *testing.T) {
	if got := len(embedded); got > 256<<10 {
		t.Errorf("the weights have %d bytes, want at most 256 KB", got)
	}
}

func TestActivation(t *testing.T) {
	for x := -6.0; x <= 6; x += 0.01 {
		if got, want := Activation(x), math.Tanh(x); math.Abs(got-want) > 0.03 {
			t.Fatalf("Activation(%v) = %v, far from tanh's %v", x, got, want)
		}
		if Activation(x+0.01) < Activation(x) || Activation(-x) != -Activation(x) {
			t.Fatalf("Activation is not odd and monotone at %v", x)
		}
	}
	if !slices.IsSorted(levelZ[:]) {
		t.Error("the level quantiles do not rise")
	}
}
