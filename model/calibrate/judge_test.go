package calibrate

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"tickercast/model"
	"tickercast/model/market"
)

func judge(t *testing.T, y *Yearly, p *market.Panel, sessions int) *Report {
	t.Helper()
	mk := mustMarket(t, p)
	r, err := Judge(t.Context(), y, mk.Daily(), mk.MarketIndex(), Origins(mk.Daily(), sessions))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestJudgeCounts holds the figures against forecasts made one by one, each from the prices as they
// were on its day.
func TestJudgeCounts(t *testing.T) {
	const sessions, ahead = 40, 5
	p := walkPanel(t, 6, 25, 900)
	y := NewYearly(embedded(t), p, nil)
	r := judge(t, y, p, sessions)
	days := p.TradingDays()
	origins := days[len(days)-1-sessions : len(days)-1]
	inside, closes := 0, 0
	own := map[string]int{}
	for _, day := range origins[:sessions-ahead+1] {
		m, err := y.On(t.Context(), day)
		if err != nil {
			t.Fatal(err)
		}
		for _, ticker := range mustMarket(t, p.Until(day)).Tickers() {
			f := m.Forecast(ticker.Features[:], model.MaxDays)
			lower, upper := f.Interval(ahead, 0.9)
			s, _ := p.Lookup(ticker.Name)
			now := s.Until(day)
			move := math.Log(s.Close[now.Len()-1+ahead] / ticker.Close)
			closes++
			if lower <= move && move <= upper {
				inside++
				own[ticker.Name]++
			}
		}
	}
	if got, want := r.Level(0.9, ahead).Coverage, Number(inside)/Number(closes); got != want {
		t.Errorf("got a coverage of %v, want %v of %d", got, want, closes)
	}
	if r.From != origins[0] || r.To != origins[sessions-1] || r.Origins != sessions ||
		r.Forecasts != sessions*25 {
		t.Errorf("got %v to %v, %d origins, %d forecasts", r.From, r.To, r.Origins, r.Forecasts)
	}
	for _, h := range r.Ticker("TAC") {
		if h.Confidence == 0.9 && h.Horizon == ahead &&
			(h.Closes != closes/25 || h.Inside != own["TAC"]) {
			t.Errorf("TAC: got %+v, want %d of %d", h, own["TAC"], closes/25)
		}
	}
}

// TestJudgeNeedsAYearBefore: a forecast from fewer closes is not what is served.
func TestJudgeNeedsAYearBefore(t *testing.T) {
	y := Fixed(embedded(t))
	if r := judge(t, y, walkPanel(t, 7, 3, 251), 120); r.Forecasts != 0 {
		t.Errorf("with 251 rows: got %d forecasts, want 0", r.Forecasts)
	}
	if r := judge(t, y, walkPanel(t, 7, 3, 252), 120); r.Forecasts != 3 || r.Origins != 1 {
		t.Errorf("with 252 rows: got %d forecasts from %d origins, want 3 from 1", r.Forecasts,
			r.Origins)
	}
}

// TestJudgeSeesTooNarrow gives models that are right, too narrow and too wide.
func TestJudgeSeesTooNarrow(t *testing.T) {
	p := walkPanel(t, 8, 40, 1000)
	right := judge(t, Fixed(embedded(t)), p, 120).Level(0.95, 1).Coverage
	narrow := judge(t, Fixed(widened(t, 0.6)), p, 120).Level(0.95, 1)
	wide := judge(t, Fixed(widened(t, 1.6)), p, 120).Level(0.95, 1).Coverage
	if !(narrow.Coverage < right-0.05 && wide > right+0.01) {
		t.Errorf("coverage %v, %v of too narrow bounds, %v of too wide ones", right,
			narrow.Coverage, wide)
	}
	if !(narrow.StandardError > 0 && narrow.StandardError < 0.05) {
		t.Errorf("got a standard error of %v", narrow.StandardError)
	}
}

// TestCoverageError gives dates on which all closes come inside or none, on their own and in runs
// of four: a run says no more than one date.
func TestCoverageError(t *testing.T) {
	const dates, each = 20_000, 10
	rng := rand.New(rand.NewPCG(1, 0))
	hits, counts := make([]int, dates), make([]int, dates)
	for _, run := range []int{1, 4} {
		for i := range dates {
			counts[i] = each
			if i%run > 0 {
				hits[i] = hits[i-1]
			} else if hits[i] = 0; rng.Float64() < 0.8 {
				hits[i] = each
			}
		}
		want := math.Sqrt(0.8 * 0.2 / float64(dates/run))
		if got := coverageError(hits, counts, 1); math.Abs(got/want-1) > 0.2 {
			t.Errorf("runs of %d: got %v, want about %v", run, got, want)
		}
	}
	if got := coverageError(hits[:9], counts[:9], 1); got == got {
		t.Errorf("nine dates: got %v, want none", got)
	}
}

func TestJudgeStops(t *testing.T) {
	mk := mustMarket(t, walkPanel(t, 9, 20, 400))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Judge(ctx, Fixed(embedded(t)), mk.Daily(), mk.MarketIndex(),
		Origins(mk.Daily(), 50))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// BenchmarkJudge owns the time that a server takes to judge 500 tickers after each load.
func BenchmarkJudge(b *testing.B) {
	mk, err := market.New(b.Context(), walkPanel(b, 4, 500, 2500), nil)
	if err != nil {
		b.Fatal(err)
	}
	y := Fixed(embedded(b))
	origins := Origins(mk.Daily(), 120)
	for b.Loop() {
		if _, err := Judge(b.Context(), y, mk.Daily(), mk.MarketIndex(), origins); err != nil {
			b.Fatal(err)
		}
	}
}
