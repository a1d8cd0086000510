package market

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tickercast/model/calendar"
)

func lookup(t testing.TB, name string) *calendar.Calendar {
	t.Helper()
	c, ok := calendar.Lookup(name)
	if !ok {
		t.Fatalf("there is no calendar %q", name)
	}
	return c
}

// seriesOn walks a price over the last n sessions of a calendar up to a day.
func seriesOn(t testing.TB, ticker, name, last string, n int) Series {
	t.Helper()
	c, rng := lookup(t, name), rand.New(rand.NewPCG(uint64(n), uint64(len(ticker))))
	end, err := calendar.Parse(last)
	if err != nil {
		t.Fatal(err)
	}
	s, price := Series{Ticker: ticker}, 100.0
	for d := c.Floor(end); len(s.Dates) < n; d = c.Floor(d - 1) {
		price *= math.Exp(0.02 * rng.NormFloat64())
		s.Dates, s.Close = append(s.Dates, d), append(s.Close, price)
	}
	slices.Reverse(s.Dates)
	return s
}

// thinned keeps the last row of each period.
func thinned(s Series, period func(calendar.Date) int) Series {
	thin := Series{Ticker: s.Ticker}
	for i, d := range s.Dates {
		if i+1 == len(s.Dates) || period(s.Dates[i+1]) != period(d) {
			thin.Dates, thin.Close = append(thin.Dates, d), append(thin.Close, s.Close[i])
		}
	}
	return thin
}

func weekly(s Series) Series {
	return thinned(s,
		func(d calendar.Date) int { return int(d+3) / 7 })
}

func monthly(s Series) Series {
	return thinned(s, func(d calendar.Date) int {
		y, m, _ := d.Civil()
		return 12*y + int(m)
	})
}

// filled has a row for every day, with the close before where there was none.
func filled(s Series) Series {
	f := Series{Ticker: s.Ticker}
	for i, d := range s.Dates {
		for ; len(f.Dates) > 0 && f.Dates[len(f.Dates)-1] < d-1; f.Close = append(f.Close,
			s.Close[i-1]) {
			f.Dates = append(f.Dates, f.Dates[len(f.Dates)-1]+1)
		}
		f.Dates, f.Close = append(f.Dates, d), append(f.Close, s.Close[i])
	}
	return f
}

func marketOf(t testing.TB, all *calendar.Calendar, series ...Series) *Market {
	t.Helper()
	p, err := NewPanel(series)
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(t.Context(), p, all)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestEachTickerHasItsCalendar(t *testing.T) {
	m := marketOf(t, nil, seriesOn(t, "ACME", "XNYS", "2025-02-28", 500),
		seriesOn(t, "BETA", "XNYS", "2025-02-28", 300),
		seriesOn(t, "BTC", "24/7", "2025-03-01", 60),
		seriesOn(t, "NEW", "XNYS", "2025-02-28", 40),
		seriesOn(t, "TEVA.TA", "XTAE", "2025-02-27", 400),
		seriesOn(t, "7203.T", "XTKS", "2025-02-28", 400))
	for ticker, want := range map[string]string{"ACME": "XNYS", "BETA": "XNYS", "BTC": "24/7",
		"NEW": "XNYS", "TEVA.TA": "XTAE", "7203.T": "XTKS"} {
		if x, ok := m.Find([]byte(ticker)); !ok || x.Calendar.Name() != want {
			t.Errorf("%s has the calendar %s, want %s", ticker, x.Calendar.Name(), want)
		}
	}
	if got := m.Calendars(); got != "XNYS 3, 24/7 1, XTAE 1, XTKS 1" {
		t.Errorf("got the calendars %s", got)
	}
	one := marketOf(t, lookup(t, "XLON"), seriesOn(t, "ACME", "XNYS", "2025-02-28", 500))
	if got := one.Tickers()[0].Calendar.Name(); got != "XLON" {
		t.Errorf("got the calendar %s, want that which was given", got)
	}
}

func TestCalendarsDoNotShareAMarket(t *testing.T) {
	var us, both []Series
	for i := range minNames {
		s := seriesOn(t, "U"+strings.Repeat("U", i), "XNYS", "2025-02-28", 300+i)
		us = append(us, s)
		both = append(both, s, seriesOn(t, "C"+strings.Repeat("C", i), "24/7", "2025-03-02", 200+i))
	}
	both = append(both, seriesOn(t, "TOKYO", "XTKS", "2025-02-28", 400))
	alone, mixed := marketOf(t, nil, us...), marketOf(t, nil, both...)
	for i := range alone.Tickers() {
		want := &alone.Tickers()[i]
		got, _ := mixed.Find([]byte(want.Name))
		if got.Features != want.Features {
			t.Fatalf("%s has other features beside tickers of another calendar", want.Name)
		}
		if got.Features[marketKnown] != 1 {
			t.Fatalf("%s has no market", want.Name)
		}
	}
	if x, _ := mixed.Find([]byte("TOKYO")); x.Features[marketKnown] != 0 {
		t.Error("a ticker without others of its calendar has a market")
	}
}

func TestRowsThatAreNotDailyAreRefused(t *testing.T) {
	day := seriesOn(t, "ACME", "XNYS", "2026-02-20", 1500)
	for want, s := range map[string]Series{
		"rows are 7 days apart: not daily prices":                                weekly(day),
		"rows are 30 days apart: not daily prices":                               monthly(day),
		"rows on days without trading repeat the close before: not daily prices": filled(day),
	} {
		for _, all := range []*calendar.Calendar{nil, lookup(t, "XNYS"), lookup(t, "24/7")} {
			p, err := NewPanel([]Series{s})
			if err != nil {
				t.Fatal(err)
			}
			_, err = New(t.Context(), p, all)
			if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, ErrShort) ||
				!strings.Contains(err.Error(), `"ACME"`) {
				t.Errorf("got error %v, want %s", err, want)
			}
		}
		other := seriesOn(t, "BETA", "XNYS", "2026-02-20", 300)
		m := marketOf(t, nil, s, other)
		if _, ok := m.Find([]byte("ACME")); ok || len(m.Tickers()) != 1 {
			t.Errorf("%s: served", want)
		}
		if got := m.Refused(); len(got) != 1 || got[0] != (Refusal{"ACME", KindNotDaily, want}) {
			t.Errorf("got %v, want %s", got, want)
		}
		if n := m.Panel().Rows(); n != 300 {
			t.Errorf("%s: the panel has %d rows, want those of BETA", want, n)
		}
		if i, ok := m.WhyRefused([]byte("acme")); !ok || i != 0 {
			t.Errorf("%s: refused without a reason", want)
		}
	}
	// Five rows can show that they are weekly, four may have holes.
	for n, kind := range map[int]string{4: KindShort, 5: KindNotDaily} {
		s := weekly(day)
		m := marketOf(t, nil, s.Slice(0, n), seriesOn(t, "BETA", "XNYS", "2026-02-20", 300))
		if got := m.Refused(); len(got) != 1 || got[0].Kind != kind {
			t.Errorf("%d weekly rows: got %v, want %s", n, got, kind)
		}
	}
}

func TestAge(t *testing.T) {
	now := time.Date(2025, time.March, 4, 12, 0, 0, 0, time.UTC) // a Tuesday before New York opens
	acme := seriesOn(t, "ACME", "XNYS", "2025-02-27", 500)
	btc := seriesOn(t, "BTC", "24/7", "2025-03-01", 200)
	for _, k := range []struct {
		series []Series
		want   int
	}{
		{[]Series{acme}, 2},
		{[]Series{btc}, 2},
		{[]Series{seriesOn(t, "BTC", "24/7", "2025-03-03", 200)}, 0},
		{[]Series{acme, seriesOn(t, "BTC", "24/7", "2025-03-03", 200)}, 2},
		// Tickers of another calendar that ended long ago do not count.
		{[]Series{acme, seriesOn(t, "BETA", "XNYS", "2025-03-03", 500),
			seriesOn(t, "7203.T", "XTKS", "2024-12-27", 500)}, 0},
		// But the calendar of most does.
		{[]Series{seriesOn(t, "ACME", "XNYS", "2025-01-03", 500),
			seriesOn(t, "BETA", "XNYS", "2024-12-31", 500), btc}, 38},
	} {
		if got := marketOf(t, nil, k.series...).Age(now); got != k.want {
			t.Errorf("%s and %d more: got an age of %d, want %d", k.series[0].Ticker,
				len(k.series)-1, got, k.want)
		}
	}
}
