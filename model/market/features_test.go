package market

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"tickercast/model/calendar"
)

// randomSeries walks a price with fat tails and clustered volatility over n trading days, with
// daily ranges that hold it.
func randomSeries(rng *rand.Rand, ticker string, n int) Series {
	s := Series{Ticker: ticker}
	day := calendar.Of(2015, 1, 1)
	price, vol := 20+80*rng.Float64(), 0.01+0.02*rng.Float64()
	for range n {
		day = calendar.Default().Next(day, 1)
		vol = 0.95*vol + 0.05*(0.01+0.02*rng.ExpFloat64())
		open := price * math.Exp(0.4*vol*rng.NormFloat64())
		price = open * math.Exp(vol*rng.NormFloat64()*(0.6+0.4*rng.ExpFloat64()))
		high := max(open, price) * (1 + vol*rng.Float64())
		low := min(open, price) * (1 - vol*rng.Float64())
		s.Dates = append(s.Dates, day)
		s.Open, s.High = append(s.Open, open), append(s.High, high)
		s.Low, s.Close = append(s.Low, low), append(s.Close, price)
	}
	return s
}

func randomPanel(t testing.TB, seed uint64, tickers, days int) *Panel {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	var all []Series
	for i := range tickers {
		all = append(all, randomSeries(rng, "T"+string(rune('A'+i/26))+string(rune('A'+i%26)),
			days))
	}
	p, err := NewPanel(all)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustNew(t testing.TB, p *Panel) *Market {
	t.Helper()
	m, err := New(t.Context(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mustIndex(t testing.TB, p *Panel) *MarketIndex {
	t.Helper()
	daily, err := NewDaily(t.Context(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewMarketIndex(t.Context(), daily)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance*(1+math.Abs(b)) }

func wantFinite(t *testing.T, name string, x *Features) {
	t.Helper()
	for i, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("%s: %s is %v", name, featureNames[i], v)
		}
	}
}

// TestFeaturesKnowNothingOfTheFuture compares what one walk over everything gives for a day with
// what a market of only the rows up to that day gives.
func TestFeaturesKnowNothingOfTheFuture(t *testing.T) {
	p := randomPanel(t, 1, 25, 400)
	index := mustIndex(t, p)
	for _, cut := range []int{MinHistory - 1, 60, 251, 399} {
		day := p.Series()[0].Dates[cut]
		m := mustNew(t, p.Until(day))
		for i, ticker := range m.Tickers() {
			var want Features
			index.Walk(&p.Series()[i], 0, func(j int) bool { return j == cut },
				func(_ int, x *Features) { want = *x })
			if ticker.Features != want {
				t.Fatalf("%s on %v: got %v from the past, want %v as from the whole panel",
					ticker.Name, day, ticker.Features, want)
			}
		}
	}
}

func TestFeaturesDoNotDependOnTheCurrency(t *testing.T) {
	p := randomPanel(t, 2, 25, 300)
	var scaled []Series
	for _, s := range p.Series() {
		times := func(v []float64) []float64 {
			v = slices.Clone(v)
			for i := range v {
				v[i] *= 131.7
			}
			return v
		}
		scaled = append(scaled, Series{s.Ticker, s.Dates, times(s.Close), times(s.Open),
			times(s.High), times(s.Low), nil})
	}
	q, err := NewPanel(scaled)
	if err != nil {
		t.Fatal(err)
	}
	want := mustNew(t, p).Tickers()
	for i, got := range mustNew(t, q).Tickers() {
		for j := range got.Features {
			if !near(got.Features[j], want[i].Features[j], 1e-9) {
				t.Errorf("%s: %s is %v, want %v", got.Name, featureNames[j], got.Features[j],
					want[i].Features[j])
			}
		}
	}
}

func TestMissingGroupsAreZeroAndChangeNothingElse(t *testing.T) {
	p := randomPanel(t, 3, 25, 300)
	whole := mustNew(t, p).Tickers()[7]
	if whole.Features[rangeKnown] != 1 || whole.Features[marketKnown] != 1 {
		t.Fatalf("got indicators %v and %v of a whole panel, want 1", whole.Features[rangeKnown],
			whole.Features[marketKnown])
	}
	s := p.Series()[7]
	s.Open, s.High, s.Low = nil, nil, nil
	one, err := NewPanel([]Series{s})
	if err != nil {
		t.Fatal(err)
	}
	alone := mustNew(t, one).Tickers()[0]
	want := whole.Features
	clear(want[RangeFirst:RangeEnd])
	clear(want[MarketFirst:MarketEnd])
	if alone.Features != want {
		t.Errorf("without ranges and market: got %v, want %v", alone.Features, want)
	}
	own, err := FromHistory("MINE", alone.AsOf, s.Close)
	if err != nil {
		t.Fatal(err)
	}
	if own.Features != want {
		t.Errorf("from a history: got %v, want %v", own.Features, want)
	}
	if own.Close != s.Close[len(s.Close)-1] || own.AsOf != alone.AsOf || own.Name != "MINE" {
		t.Errorf("got close %v as of %v of %q", own.Close, own.AsOf, own.Name)
	}
}

func TestFeaturesOfExtremeSeriesAreFinite(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 0))
	series := map[string]func(i int) float64{
		"constant":       func(int) float64 { return 5 },
		"rising":         func(i int) float64 { return math.Exp(float64(i) / 10) },
		"falling":        func(i int) float64 { return math.Exp(-float64(i) / 20) },
		"saw":            func(i int) float64 { return 10 + 5*float64(i%2) },
		"jumps":          func(int) float64 { return math.Exp(0.5 * float64(rng.IntN(3)-1)) },
		"one jump":       func(i int) float64 { return 1 + float64(i/25)*1e6 },
		"smallest":       func(int) float64 { return MinPrice },
		"ends of range":  func(i int) float64 { return []float64{MinPrice, MaxPrice}[i%2] },
		"mostly stale":   func(i int) float64 { return 10 + float64(i/20%2) },
		"unadjusted 4:1": func(i int) float64 { return 100 / (1 + 3*float64(i/28%2)) },
	}
	for name, price := range series {
		for _, n := range []int{MinHistory, MinHistory + 1, 300} {
			closes := make([]float64, n)
			for i := range closes {
				closes[i] = price(i)
			}
			x, err := FromHistory(name, 0, closes)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			wantFinite(t, name, &x.Features)
		}
	}
}

// TestVariancesAreWeightedMeans checks the recursion against the sum that it stands for.
func TestVariancesAreWeightedMeans(t *testing.T) {
	s := randomSeries(rand.New(rand.NewPCG(5, 0)), "A", 120)
	var st state
	for i := range s.Close {
		st.push(s.Dates[i], s.row(i))
	}
	for k, halfLife := range halfLives[:numSpeeds] {
		var sum, weights float64
		for i := 1; i < len(s.Close); i++ {
			r := math.Log(s.Close[i] / s.Close[i-1])
			w := math.Exp2(-float64(len(s.Close)-1-i) / halfLife)
			sum += w * r * r
			weights += w
		}
		if got, want := st.mean(st.squares[k], k), sum/weights; !near(got, want, 1e-9) {
			t.Errorf("half-life %v: got a variance of %v, want %v", halfLife, got, want)
		}
	}
}

func TestAJumpMovesTheScaleByABoundedFactor(t *testing.T) {
	closes := make([]float64, 200)
	rng := rand.New(rand.NewPCG(6, 0))
	p := 100.0
	for i := range closes {
		p *= math.Exp(0.015 * rng.NormFloat64())
		closes[i] = p
	}
	before, err := FromHistory("A", 0, closes)
	if err != nil {
		t.Fatal(err)
	}
	after, err := FromHistory("A", 0, append(closes, p/4)) // an unadjusted split
	if err != nil {
		t.Fatal(err)
	}
	if got := math.Exp(after.Features[logScale] - before.Features[logScale]); got > 2 {
		t.Errorf("the scale rose %v times after an unadjusted split, want at most 2", got)
	}
}

func TestALongGapIsNoReturn(t *testing.T) {
	s := randomSeries(rand.New(rand.NewPCG(7, 0)), "A", 200)
	for i := 100; i < 200; i++ { // another company's prices, a year later
		s.Dates[i] += 365
		s.Close[i], s.Open[i], s.High[i], s.Low[i] = 50*s.Close[i], 50*s.Open[i], 50*s.High[i],
			50*s.Low[i]
	}
	p, err := NewPanel([]Series{s})
	if err != nil {
		t.Fatal(err)
	}
	mustIndex(t, p).Walk(&s, 0, func(i int) bool { return i == 100 }, func(_ int, x *Features) {
		if got := math.Exp(x[logScale]) * RefScale; got > 0.1 {
			t.Errorf("got a daily volatility of %v after the gap", got)
		}
		wantFinite(t, "gap", x)
	})
}

// TestFeatureNames compares the names with the constants at both ends of each group.
func TestFeatureNames(t *testing.T) {
	for i, want := range map[int]string{logScale: "log_scale", vol2over5: "vol_2_over_5",
		vol70over250: "vol_70_over_250", lastAbs: "last_abs", drawdown: "drawdown",
		tail25: "tail_25", sum20Ratio: "sum_20_ratio", historyLength: "history_length",
		season1: "season_1_excess", season30: "season_30_excess", rangeKnown: "range_known",
		range2: "range_2", overnightShare: "overnight_share", marketKnown: "market_known",
		marketRatio: "market_ratio"} {
		if got := FeatureNames()[i]; got != want {
			t.Errorf("feature %d is called %q, want %q", i, got, want)
		}
	}
	seen := map[string]bool{}
	for i, name := range FeatureNames() {
		if name == "" || seen[name] {
			t.Errorf("feature %d is called %q", i, name)
		}
		seen[name] = true
	}
}
