package predict_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/calibrate"
	"tickercast/model/market"
	"tickercast/predict"
)

// longPanel has ten tickers of five years, long enough for steps of calibration. The tickers begin
// and end on different days.
func longPanel(t testing.TB) *market.Panel {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 0))
	var all []market.Series
	for k := range 10 {
		s := market.Series{Ticker: fmt.Sprintf("T%d", k)}
		day, price := calendar.Of(2018, time.January, 2), 100.0
		for i := range 1250 {
			day = calendar.Default().Next(day, 1)
			price *= 1 + 0.02*rng.NormFloat64()
			if i >= 40*k && i < 1250-10*k {
				s.Dates, s.Close = append(s.Dates, day), append(s.Close, price)
			}
		}
		all = append(all, s)
	}
	p, err := market.NewPanel(all)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// serviceOf serves a panel as a loader would.
func pastServiceOf(t testing.TB, p *market.Panel) *predict.Service {
	t.Helper()
	m, err := model.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	mk, err := market.New(t.Context(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := newEmptyService(t)
	if err := s.Swap(t.Context(), calibrate.NewYearly(m, p, nil), mk); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAsOfIsTheForecastOfThatDay compares with a server that has no later prices. Days, tickers and
// horizons are random, days without trading among them.
func TestAsOfIsTheForecastOfThatDay(t *testing.T) {
	p := longPanel(t)
	h := handlerOf(pastServiceOf(t, p))
	rng := rand.New(rand.NewPCG(2, 0))
	last := p.AsOf()
	for range 40 {
		day := last - calendar.Date(rng.IntN(1700))
		then := handlerOf(pastServiceOf(t, p.Until(day)))
		for range 5 {
			ticker := fmt.Sprintf("T%d", rng.IntN(10))
			fields := fmt.Sprintf(`"ticker":%q,"days_ahead":%d`, ticker, 1+rng.IntN(30))
			want := call(then, "POST", "/predict", "{"+fields+"}")
			got := call(h, "POST", "/predict", fmt.Sprintf(`{%s,"as_of":%q}`, fields, day))
			if want.Code == 404 { // no ticker, or not enough closes
				if got.Code != 422 || !strings.Contains(got.Body.String(), "as_of") {
					t.Errorf("%s on %s: got %d %s, want 422", ticker, day, got.Code, got.Body)
				}
				continue
			}
			if got.Code != 200 || got.Body.String() != want.Body.String() {
				t.Errorf("%s on %s: got %d %s, want %s", ticker, day, got.Code, got.Body,
					want.Body)
			}
		}
	}
}

// TestAsOfOnEveryRoad asks for the same by POST, batch and GET, and for levels.
func TestAsOfOnEveryRoad(t *testing.T) {
	h := handlerOf(pastServiceOf(t, longPanel(t)))
	post := call(h, "POST", "/predict", `{"ticker":"T3","as_of":"2020-05-05"}`).Body.String()
	get := call(h, "GET", "/predict/T3?as_of=2020-05-05", "")
	if get.Body.String() != post || get.Header().Get("ETag") == "" {
		t.Errorf("GET: got %s %v, want %s", get.Body, get.Header(), post)
	}
	batch := call(h, "POST", "/predict/batch",
		`{"requests":[{"ticker":"T3","as_of":"2020-05-05"},{"ticker":"T3","as_of":"1999-01-01"}]}`)
	if !strings.Contains(batch.Body.String(), post) ||
		!strings.Contains(batch.Body.String(), "as_of must be from") {
		t.Errorf("batch: got %s, want %s and an error", batch.Body, post)
	}
	levels := call(h, "POST", "/predict", `{"ticker":"T3","as_of":"2020-05-05","levels":[0.8]}`)
	if !strings.HasPrefix(levels.Body.String(), post[:len(post)-2]) {
		t.Errorf("levels: got %s, want %s and more", levels.Body, post)
	}
	now := call(h, "POST", "/predict", `{"ticker":"T0"}`).Body.String()
	last := longPanel(t).AsOf().String()
	got := call(h, "POST", "/predict", `{"ticker":"T0","as_of":"`+last+`"}`).Body.String()
	if got != now {
		t.Errorf("the last day: got %s, want %s", got, now)
	}
}

// TestAsOfOutsideThePrices: the answer names the days that there are.
func TestAsOfOutsideThePrices(t *testing.T) {
	p := longPanel(t)
	h := handlerOf(pastServiceOf(t, p))
	s, _ := p.Lookup("T3")
	first, last := s.Dates[market.MinHistory-1], p.AsOf()
	want := fmt.Sprintf("as_of must be from %s to %s", first, last)
	for _, day := range []calendar.Date{first - 1, last + 1, calendar.Of(1970, 1, 1)} {
		w := call(h, "GET", "/predict/T3?as_of="+day.String(), "")
		if w.Code != 422 || !strings.Contains(w.Body.String(), want) ||
			!strings.Contains(w.Body.String(), `["query","as_of"]`) {
			t.Errorf("%s: got %d %s, want %s", day, w.Code, w.Body, want)
		}
	}
	for _, day := range []calendar.Date{first, last} {
		if w := call(h, "GET", "/predict/T3?as_of="+day.String(), ""); w.Code != 200 {
			t.Errorf("%s: got %d %s, want 200", day, w.Code, w.Body)
		}
	}
	w := call(h, "GET", "/predict/T3?as_of="+url.QueryEscape("5 May"), "")
	if w.Code != 422 || !strings.Contains(w.Body.String(), "date_from_datetime_parsing") {
		t.Errorf("no date: got %d %s", w.Code, w.Body)
	}
}

// TestAsOfFromManyClients asks for more days than are remembered, at once and in different orders.
func TestAsOfFromManyClients(t *testing.T) {
	p := longPanel(t)
	h := handlerOf(pastServiceOf(t, p))
	want := map[calendar.Date]string{}
	days := p.TradingDays()[600:612]
	for _, day := range days {
		want[day] = call(handlerOf(pastServiceOf(t, p.Until(day))), "POST", "/predict",
			`{"ticker":"T1"}`).Body.String()
	}
	var clients sync.WaitGroup
	for k := range 8 {
		clients.Go(func() {
			rng := rand.New(rand.NewPCG(3, uint64(k)))
			for range 30 {
				day := days[rng.IntN(len(days))]
				// Levels are not cached, so each request needs its day.
				got := call(h, "POST", "/predict",
					`{"ticker":"T1","levels":[0.9],"as_of":"`+day.String()+`"}`).Body.String()
				if w := want[day]; !strings.HasPrefix(got, w[:len(w)-2]) {
					t.Errorf("%s: got %s, want %s", day, got, w)
				}
			}
		})
	}
	clients.Wait()
}

// TestLaterRowsChangeNothing: prices that are the same up to a day and different later give the
// same answers as of that day and before, for a thousand tickers and days.
func TestLaterRowsChangeNothing(t *testing.T) {
	cuts, days := 20, 10
	if testing.Short() {
		cuts = 2
	}
	p := longPanel(t)
	h := handlerOf(pastServiceOf(t, p))
	all := p.TradingDays()
	rng := rand.New(rand.NewPCG(4, 0))
	pairs, answers := 0, 0
	for range cuts {
		cut := 100 + rng.IntN(len(all)-200)
		changed := handlerOf(pastServiceOf(t, changedAfter(t, p, all[cut])))
		for range days {
			day := all[60+rng.IntN(cut-59)]
			for range 5 {
				body := fmt.Sprintf(`{"ticker":"T%d","days_ahead":%d,"as_of":%q}`, rng.IntN(10),
					1+rng.IntN(30), day)
				want := call(h, "POST", "/predict", body)
				got := call(changed, "POST", "/predict", body)
				if pairs++; want.Code == 200 {
					answers++
				} else if want.Code != 422 {
					t.Fatalf("%s: got %d %s", body, want.Code, want.Body)
				}
				if got.Code != want.Code ||
					want.Code == 200 && got.Body.String() != want.Body.String() {
					t.Errorf("%s, other rows after %s: got %d %s, want %s", body, all[cut], got.Code,
						got.Body, want.Body)
				}
			}
		}
	}
	if answers < pairs/2 {
		t.Errorf("only %d of %d were answered", answers, pairs)
	}
}

// changedAfter returns a panel with other closes after a day.
func changedAfter(t *testing.T, p *market.Panel, day calendar.Date) *market.Panel {
	t.Helper()
	var all []market.Series
	for i, s := range p.Series() {
		s.Close = slices.Clone(s.Close)
		for k, d := range s.Dates {
			if d > day {
				s.Close[k] *= 1.1 + 0.3*math.Sin(float64(k*(i+1)))
			}
		}
		all = append(all, s)
	}
	other, err := market.NewPanel(all)
	if err != nil {
		t.Fatal(err)
	}
	return other
}
