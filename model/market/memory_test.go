package market_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"tickercast/model/calendar"
	"tickercast/model/market"
)

// repeated is a reader of a header and n rows, which watches the heap.
type repeated struct {
	rest []byte
	row  string
	n    int
	peak uint64
}

func (r *repeated) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.n == 0 {
			return 0, io.EOF
		}
		k := min(r.n, 10_000)
		r.n -= k
		r.rest = []byte(strings.Repeat(r.row, k))
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		r.peak = max(r.peak, m.HeapInuse)
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// TestEqualRowsTakeNoMemory reads 12 million rows that say the same, next to each other or in turn.
func TestEqualRowsTakeNoMemory(t *testing.T) {
	n := 12_000_000
	if testing.Short() {
		n = 1_000_000
	}
	for _, row := range []string{"2024-01-02,A,1.0\n", "2024-01-03,A,1.0\n2024-01-02,A,1.00\n"} {
		runtime.GC()
		r := &repeated{rest: []byte("date,ticker,close\n"), row: row, n: n / strings.Count(row, "\n")}
		p, err := readAs(r, "p.csv")
		if err != nil || p.Rows() != strings.Count(row, "\n") {
			t.Fatalf("got %d rows and error %v", p.Rows(), err)
		}
		if r.peak > 40<<20 {
			t.Errorf("%d equal rows took %d MB", n, r.peak>>20)
		}
	}
}

func TestRowsAreBoundByTheMemoryLimit(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(20 << 20))
	rows := io.MultiReader(strings.NewReader("date,ticker,close\n"), &counter{n: 3_000_000})
	_, err := market.Read(context.Background(), rows, "p.csv", market.Options{SkipBad: true})
	if want := "too many rows for the memory limit: they take more than 10 MB"; err == nil ||
		!strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// counter is a reader of n rows that differ.
type counter struct {
	n, i int
	rest []byte
}

func (c *counter) Read(p []byte) (int, error) {
	for len(c.rest) < len(p) && c.i < c.n {
		c.i++
		c.rest = fmt.Appendf(c.rest, "2024-01-02,T%d,1.0\n", c.i)
	}
	if len(c.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// TestFootprint compares what a market is said to take with what the heap grows by.
func TestFootprint(t *testing.T) {
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for _, c := range []struct{ tickers, days int }{{500, 300}, {50, 3000}, {2000, 60}} {
		p := syntheticPanel(t, c.tickers, c.days)
		const markets = 4
		var all [markets]*market.Market
		before := heap()
		for i := range all {
			mk, err := market.New(t.Context(), p.Until(p.AsOf()-calendar.Date(i)), nil)
			if err != nil {
				t.Fatal(err)
			}
			all[i] = mk
		}
		grown := float64(heap()-before) / markets
		if said := float64(all[0].Footprint()); said < grown || said > 2*grown {
			t.Errorf("%d tickers of %d days: said to take %.0f bytes, took %.0f", c.tickers,
				c.days, said, grown)
		}
		runtime.KeepAlive(all)
	}
}

func syntheticPanel(t *testing.T, tickers, days int) *market.Panel {
	t.Helper()
	var all []market.Series
	for k := range tickers {
		s := market.Series{Ticker: fmt.Sprintf("T%d", k)}
		day := calendar.Of(2012, 1, 3)
		for i := range days {
			day = calendar.Default().Next(day, 1)
			s.Dates = append(s.Dates, day)
			s.Close = append(s.Close, 50+20*math.Sin(float64(i*(k+1))))
		}
		all = append(all, s)
	}
	p, err := market.NewPanel(all)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
