package market_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"tickercast/model/calendar"
	"tickercast/model/market"
)

func TestUntilIsThePanelOfThatDay(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	p := somePanel(t, rng, 6, 60, true)
	first, last := p.AsOf(), p.AsOf()
	for _, s := range p.Series() {
		first = min(first, s.Dates[0])
	}
	for d := first - 2; d <= last+2; d++ {
		var want strings.Builder
		rows := 0
		for line := range strings.Lines(dump(p)) {
			if strings.Fields(line)[1] <= d.String() {
				want.WriteString(line)
				rows++
			}
		}
		got := p.Until(d)
		if dump(got) != want.String() {
			t.Fatalf("Until(%v): got\n%swant\n%s", d, dump(got), want.String())
		}
		if got.Rows() != rows {
			t.Fatalf("Until(%v).Rows() = %d, want %d", d, got.Rows(), rows)
		}
		if rows > 0 && (got.AsOf() > d || got.AsOf() < first) {
			t.Fatalf("Until(%v).AsOf() = %v", d, got.AsOf())
		}
		if d >= last && got.AsOf() != last {
			t.Fatalf("Until(%v).AsOf() = %v, want %v", d, got.AsOf(), last)
		}
	}
}

// TestUntilCannotBeGrownIntoTheFuture appends to a series that was cut short.
func TestUntilCannotBeGrownIntoTheFuture(t *testing.T) {
	const text = "date,ticker,low,close\n2026-02-17,A,1,1\n2026-02-18,A,2,2\n"
	p, err := readAs(strings.NewReader(text), "p.csv")
	if err != nil {
		t.Fatal(err)
	}
	s := p.Until(calendar.Of(2026, time.February, 17)).Series()[0]
	_, _, _ = append(s.Dates, 0), append(s.Close, 9), append(s.Low, 9)
	if got, want := dump(p), "A 2026-02-17 - - 1 1\nA 2026-02-18 - - 2 2\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestLookup(t *testing.T) {
	p := somePanel(t, rand.New(rand.NewPCG(5, 6)), 50, 5, false)
	for i := range p.Series() {
		want := &p.Series()[i]
		if got, ok := p.Lookup(want.Ticker); !ok || got != want {
			t.Errorf("Lookup(%q) = %v, %v", want.Ticker, got, ok)
		}
	}
	for _, ticker := range []string{"", "T", "t1", "T1 ", "T50", "U"} {
		if got, ok := p.Lookup(ticker); ok {
			t.Errorf("Lookup(%q) = %v", ticker, got)
		}
	}
}

func TestNewPanelRefuses(t *testing.T) {
	days := []calendar.Date{calendar.Of(2026, time.February, 17),
		calendar.Of(2026, time.February, 18)}
	good := market.Series{Ticker: "A", Dates: days, Close: []float64{1, 2},
		Open: []float64{1, math.NaN()}}
	if _, err := market.NewPanel([]market.Series{good}); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*market.Series){
		"empty ticker":                        func(s *market.Series) { s.Ticker = "" },
		`series "A" has no rows`:              func(s *market.Series) { s.Dates = nil },
		`series "A" has 2 dates and 1 closes`: func(s *market.Series) { s.Close = s.Close[:1] },
		`series "A" has 2 dates and a column`: func(s *market.Series) { s.Low = []float64{1} },
		`series "A" has the close NaN on`: func(s *market.Series) {
			s.Close = []float64{1, math.NaN()}
		},
		`series "A" has the close 0 on`:  func(s *market.Series) { s.Close = []float64{0, 1} },
		`series "A" has the price -1 on`: func(s *market.Series) { s.High = []float64{-1, 1} },
		`series "A" has the price +Inf on`: func(s *market.Series) {
			s.High = []float64{1, math.Inf(1)}
		},
		`series "A" has 2026-02-18 after 2026-02-18`: func(s *market.Series) {
			s.Dates = []calendar.Date{days[1], days[1]}
		},
		`series "A" has 2026-02-17 after 2026-02-18`: func(s *market.Series) {
			s.Dates = []calendar.Date{days[1], days[0]}
		},
		`series "A" runs from 1652-`: func(s *market.Series) {
			s.Dates = []calendar.Date{-116000, days[0]}
		},
	} {
		bad := good
		change(&bad)
		wantRefused(t, []market.Series{bad}, want)
	}
	wantRefused(t, nil, "no series")
	wantRefused(t, []market.Series{good, good}, `ticker "A" has two series`)
}

func wantRefused(t *testing.T, series []market.Series, want string) {
	t.Helper()
	if _, err := market.NewPanel(series); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestNewPanelSorts(t *testing.T) {
	one := func(ticker string, d calendar.Date) market.Series {
		return market.Series{Ticker: ticker, Dates: []calendar.Date{d}, Close: []float64{1}}
	}
	given := []market.Series{one("C", 3), one("A", 5), one("B", 4)}
	p, err := market.NewPanel(given)
	if err != nil {
		t.Fatal(err)
	}
	want := "A 1970-01-06 - - - 1\nB 1970-01-05 - - - 1\nC 1970-01-04 - - - 1\n"
	if got := dump(p); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if p.AsOf() != 5 || p.Rows() != 3 {
		t.Errorf("AsOf, Rows = %v, %d, want 1970-01-06, 3", p.AsOf(), p.Rows())
	}
	if given[0].Ticker != "C" {
		t.Error("the slice that was given is sorted too")
	}
}

// TestSumIsOfTheContent: where a panel comes from does not count, what it holds does.
func TestSumIsOfTheContent(t *testing.T) {
	sum := func(series ...market.Series) string {
		p, err := market.NewPanel(series)
		if err != nil {
			t.Fatal(err)
		}
		return p.Sum()
	}
	day := calendar.Of(2020, 1, 2)
	one := func(ticker string, closes ...float64) market.Series {
		s := market.Series{Ticker: ticker, Close: closes}
		for i := range closes {
			s.Dates = append(s.Dates, calendar.Default().Next(day, i))
		}
		return s
	}
	a, b := one("A", 1, 2), one("B", 3)
	want := sum(a, b)
	if again := sum(b, a); len(want) != 64 || again != want {
		t.Errorf("the same series give %s and %s", want, again)
	}
	later, raw, high := one("A", 1, 2), one("A", 1, 2), one("A", 1, 2)
	later.Dates = []calendar.Date{later.Dates[0], calendar.Default().Next(day, 2)}
	raw.Raw = []float64{1, 2}
	high.High = []float64{1, 2}
	for i, other := range [][]market.Series{{a}, {one("A", 1, 2, 3), b}, {one("A", 2, 1), b},
		{one("AB", 1, 2), b}, {one("A", 1, 2.0000000000000004), b}, {later, b}, {raw, b},
		{high, b}, {a, b, one("C", 1)}} {
		if sum(other...) == want {
			t.Errorf("case %d: other series give the same sum", i)
		}
	}
}
