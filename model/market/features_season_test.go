package market

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestNightSeasonFindsReports makes a series that gaps overnight every quarter and is quiet
// otherwise, with as large moves within other days.
func TestNightSeasonFindsReports(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 0))
	s := randomSeries(rng, "A", 800)
	price := 100.0
	for i := range s.Close {
		open := price * math.Exp(0.002*rng.NormFloat64())
		switch i % quarter {
		case 20:
			open = price * 1.08
		case 50:
			price *= 1.08
		}
		price *= math.Exp(0.01 * rng.NormFloat64())
		s.Open[i], s.Close[i] = open, price
		s.High[i], s.Low[i] = max(open, price), min(open, price)
	}
	p, err := NewPanel([]Series{s})
	if err != nil {
		t.Fatal(err)
	}
	last := len(s.Close) - quarter
	mustIndex(t, p).Walk(&s, 0, func(i int) bool { return i >= last }, func(i int, x *Features) {
		wantFinite(t, "gaps", x)
		ahead := (20 - i%quarter + quarter) % quarter // days to the next gap
		if got := x[nightSeason1]; ahead == 1 && got < 1 || ahead > 5 && ahead < 55 && got > 0 {
			t.Errorf("%d days before a gap: night_season_1_excess is %v", ahead, got)
		}
		if got := x[nightSeason5]; ahead == 4 && got < 0.5 {
			t.Errorf("%d days before a gap: night_season_5_excess is %v", ahead, got)
		}
	})
	s.Open, s.High, s.Low = nil, nil, nil
	bare, err := NewPanel([]Series{s})
	if err != nil {
		t.Fatal(err)
	}
	x := mustNew(t, bare).Tickers()[0].Features
	for i := nightSeason1; i <= nightSeason30; i++ {
		if x[i] != 0 {
			t.Errorf("without opens %s is %v", featureNames[i], x[i])
		}
	}
}

// TestMarketRatiosAreToTheMean recomputes the mean of a day from the features of its tickers.
func TestMarketRatiosAreToTheMean(t *testing.T) {
	p := randomPanel(t, 12, 25, 300)
	var fast, slow []float64
	tickers := mustNew(t, p).Tickers()
	for i := range tickers {
		x := &tickers[i].Features
		// The scale is the mean of the logs at 5, 25 and 250 days.
		v5over25, v25over250 := x[vol5over11]+x[vol11over25], x[vol25over70]+x[vol70over250]
		fast = append(fast, v5over25+x[vol25over70])
		slow = append(slow, x[logScale]-(v5over25+2*v25over250)/3)
	}
	mean := func(v []float64) (m float64) {
		for _, x := range v {
			m += x / float64(len(v))
		}
		return m
	}
	for i := range tickers {
		x := &tickers[i].Features
		if got, want := x[marketFastRatio], fast[i]-mean(fast); !near(got, want, 1e-9) {
			t.Errorf("%s: market_fast_ratio is %v, want %v", tickers[i].Name, got, want)
		}
		if got, want := x[marketSlowRatio], slow[i]-mean(slow); !near(got, want, 1e-9) {
			t.Errorf("%s: market_slow_ratio is %v, want %v", tickers[i].Name, got, want)
		}
	}
}
