//go:build linux

package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/market"
)

// steady is a panel whose close rises by 0.01 a day on log scale.
func steady(t *testing.T, tickers []string, sessions int) *market.Panel {
	t.Helper()
	var all []market.Series
	for _, name := range tickers {
		s := market.Series{Ticker: name}
		for i := range sessions {
			s.Dates = append(s.Dates, calendar.Of(2020, 1, 1)+calendar.Date(i))
			s.Close = append(s.Close, math.Exp(0.01*float64(i)))
		}
		all = append(all, s)
	}
	p, err := market.NewPanel(all)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// always forecasts the same bounds for each day and level.
func always(samples int, lower, upper float64) method {
	m := method{name: "always"}
	for range samples {
		b := new(bounds)
		for h := range days {
			for l := range model.Levels {
				b[h][0][l], b[h][1][l] = lower, upper
			}
		}
		m.bounds = append(m.bounds, b)
	}
	return m
}

// TestScore knows the losses and the coverage of a close that rises by 0.01 a day.
func TestScore(t *testing.T) {
	o := options{window: 150, tickers: 2, origins: 12, seed: 1}
	task, err := choose(steady(t, []string{"A", "B"}, 700), o)
	if err != nil {
		t.Fatal(err)
	}
	n := len(task.samples)
	// The first covers days 1 to 10. The second has twice the distances, so it covers days 1 to 20.
	first, second := always(n, -0.1, 0.1000001), always(n, -0.2, 0.2000001)
	s := score(task, []method{first, second})
	if s.samples != 24 {
		t.Fatalf("%d samples, want 24", s.samples)
	}
	// The mean of (1-c)/2 over the levels is 0.044. A close that is inside by d costs p*d on either
	// side; one that is outside by e costs (1-p)*e on that side.
	const p = (0.1 + 0.075 + 0.05 + 0.025 + 0.01 + 0.005) / 6
	want := 0.0
	for h := 16; h <= 30; h++ {
		move := 0.01 * float64(h)
		want += (p*(0.1+move) + (1-p)*(move-0.1)) / 2 / 15
	}
	r := s.results[0]
	if got := r.loss[2]; math.Abs(got-want) > 1e-6 {
		t.Errorf("loss of days 16 to 30: %v, want %v", got, want)
	}
	if got, want := r.loss[0], p*0.2/2; math.Abs(got-want) > 1e-6 {
		t.Errorf("loss of days 1 to 5: %v, want %v", got, want)
	}
	for g, want := range []float64{1, 0.5, 0, 1. / 3} {
		for l, got := range r.cover[g] {
			if math.Abs(got-want) > 1e-9 {
				t.Errorf("coverage of days %s, level %d: %v, want %v", groups[g].name, l, got, want)
			}
		}
	}
	// 10 days are covered, so they are off by 1-c; the others by c.
	const mean = 1 - 2*p
	if want := (2*p + 2*mean) / 3; math.Abs(r.meanError-want) > 1e-9 {
		t.Errorf("mean error of coverage: %v, want %v", r.meanError, want)
	}
	if r.whereWorst() != "-99.0 (99 %, 11)" {
		t.Errorf("worst coverage: %s, want -99.0 (99 %%, 11)", r.whereWorst())
	}
	// All origins are alike, so the lead is the mean over days of 1 less the ratio of two known
	// losses, with no error.
	lead := 0.0
	for h := 1; h <= days; h++ {
		cost := func(d float64) float64 {
			if move := 0.01 * float64(h); move > d {
				return p*(d+move) + (1-p)*(move-d)
			}
			return 2 * p * d
		}
		lead += (1 - cost(0.1)/cost(0.2)) / days
	}
	got := s.results[1].lead
	if math.Abs(float64(got.Difference)-lead) > 1e-5 || !(got.StandardError < 1e-9) {
		t.Errorf("lead %v (%v), want %v (0)", got.Difference, got.StandardError, lead)
	}
	if d := s.results[0].lead.Difference; d != 0 {
		t.Errorf("the first is %v better than itself", d)
	}
}

// TestScoreLeavesOut: a series that one method failed on counts for none.
func TestScoreLeavesOut(t *testing.T) {
	o := options{window: 150, tickers: 1, origins: 2, seed: 1}
	task, err := choose(steady(t, []string{"A"}, 400), o)
	if err != nil {
		t.Fatal(err)
	}
	good, part := always(2, -1, 1), always(2, -1, 1)
	for h := range days {
		good.bounds[0][h][0][0] = 0.9 // would be a loss
	}
	part.bounds[0] = nil
	s := score(task, []method{good, part})
	if s.samples != 1 || s.results[0].failed != 0 || s.results[1].failed != 1 {
		t.Errorf("%d samples, failed %d and %d; want 1, 0 and 1", s.samples, s.results[0].failed,
			s.results[1].failed)
	}
	if a, b := s.results[0].loss, s.results[1].loss; a != b {
		t.Errorf("losses %v and %v of the same bounds", a, b)
	}
}

func TestChoose(t *testing.T) {
	names := []string{"A", "B", "C", "D", "E", "F", "G", "H"}
	p := steady(t, names, 300)
	o := options{window: 250, tickers: 4, origins: 5, seed: 1}
	task, err := choose(p, o)
	if err != nil {
		t.Fatal(err)
	}
	// Rows 249 to 269 have 250 closes up to them and 30 after them.
	for k, want := range []int{249, 254, 259, 264, 269} {
		if s := task.samples[4*k]; s.row != want || s.origin != k {
			t.Errorf("origin %d is row %d, want %d", s.origin, s.row, want)
		}
	}
	if task.step != 5 || task.overlap() != 5 || !task.fewErrors() {
		t.Errorf("step %d, overlap %d; want 5 and 5, too many", task.step, task.overlap())
	}
	if again, _ := choose(p, o); again.tickers[0] != task.tickers[0] {
		t.Error("another choice with the same seed")
	}
	for i := 1; i < len(task.tickers); i++ {
		if task.tickers[i][0] != task.tickers[i-1][0]+2 {
			t.Errorf("tickers %v are not at equal steps", task.tickers)
		}
	}
	o.from, o.to = p.Series()[0].Dates[260], p.Series()[0].Dates[264]
	if task, err = choose(p, o); err != nil || task.samples[0].row != 260 || task.step != 1 {
		t.Errorf("with -from and -to: %v, %+v", err, task)
	}
	o.to--
	if _, err = choose(p, o); err == nil {
		t.Error("chose five of four dates")
	}
	// A and B are coins: the others have no rows at weekends, so no date may be one.
	all := slices.Clone(p.Series())
	for i := range all[2:] {
		stock := &all[i+2]
		var open market.Series
		for row, d := range stock.Dates {
			if row%7 < 5 {
				open.Dates, open.Close = append(open.Dates, d), append(open.Close, 1)
			}
		}
		stock.Dates, stock.Close = open.Dates, open.Close
	}
	mixed, err := market.NewPanel(all)
	if err != nil {
		t.Fatal(err)
	}
	o = options{window: 150, tickers: 8, origins: 5, seed: 1}
	if task, err = choose(mixed, o); err != nil || len(task.samples) != 40 {
		t.Errorf("stocks and coins: %v, %+v", err, task)
	}
	o = options{window: 250, tickers: 9, origins: 5, seed: 1}
	if _, err = choose(p, o); err == nil {
		t.Error("chose nine of eight tickers")
	}
}

// wild is a panel of random walks with steps of 2 %.
func wild(t *testing.T) *market.Panel {
	t.Helper()
	p := steady(t, []string{"A", "B"}, 180)
	rng := rand.New(rand.NewPCG(1, 2))
	for _, s := range p.Series() {
		price := 100.0
		for i := range s.Close {
			s.Close[i] = price
			price *= math.Exp(0.02 * rng.NormFloat64())
		}
	}
	return p
}
