package calendar_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tickercast/model/calendar"
)

// lookup returns a calendar that the test knows to exist.
func lookup(t testing.TB, name string) *calendar.Calendar {
	t.Helper()
	c, ok := calendar.Lookup(name)
	if !ok {
		t.Fatalf("there is no calendar %q", name)
	}
	return c
}

func TestLookup(t *testing.T) {
	names := calendar.Names()
	want := strings.Fields("XNYS XTSE BVMF XMEX XLON XPAR XAMS XBRU XLIS XETR XSWX XMIL XMAD " +
		"XSTO XCSE XHEL XOSL XWBO XWAR XPRA XIST XTAE XJSE XSAU XBOM XHKG XSHG XTKS XKRX XTAI " +
		"XSES XBKK XIDX XKLS XASX XNZE weekdays 24/7")
	if !slices.Equal(names, want) {
		t.Errorf("Names() = %v, want %v", names, want)
	}
	for _, name := range names {
		if got := lookup(t, strings.ToLower(name)).Name(); got != name {
			t.Errorf("Lookup(%q) is %s", name, got)
		}
	}
	for alias, want := range map[string]string{"XNAS": "XNYS", "XNSE": "XBOM", "XSHE": "XSHG"} {
		if got := lookup(t, alias).Name(); got != want {
			t.Errorf("Lookup(%q) is %s, want %s", alias, got, want)
		}
	}
	for _, name := range []string{"", "auto", "NYSE", "XNYS ", "24", "7"} {
		if c, ok := calendar.Lookup(name); ok || c != nil {
			t.Errorf("Lookup(%q) = %v, %v, want none", name, c, ok)
		}
	}
}

func TestRecorded(t *testing.T) {
	for name, want := range map[string]string{
		"XNYS": "1970-01-01 2101-12-31", "XLON": "2000-01-01 2046-12-31",
		"XSAU": "2021-01-01 2029-12-31", "XBOM": "2000-01-01 2026-12-31",
		"XSHG": "2000-01-01 2026-12-31", "XSES": "2000-01-01 2026-12-31",
		"XTAI": "2002-01-01 2026-12-31", "XIDX": "2002-01-01 2025-12-31",
		"XKLS": "2000-01-01 2029-12-31", "XBKK": "2000-01-01 2029-12-31",
		"24/7": "0001-01-01 9999-12-31", "weekdays": "0001-01-01 9999-12-31",
	} {
		from, to := lookup(t, name).Recorded()
		if got := from.String() + " " + to.String(); got != want {
			t.Errorf("%s is recorded %s, want %s", name, got, want)
		}
	}
}

func TestOpen(t *testing.T) {
	for _, c := range []struct{ name, open, shut string }{
		// weeks
		{"XSAU", "2024-01-07 2024-01-11", "2024-01-05 2024-01-06 2024-09-23"},
		{"XTAE", "2025-12-28 2026-01-04 2026-01-09", "2025-12-26 2026-01-11"},
		{"XBOM", "2024-01-20 2025-02-01", "2024-01-27 2024-01-26"},
		{"24/7", "0001-01-01 2026-02-21 2026-12-25 9999-12-31", ""},
		{"weekdays", "0001-01-01 2026-12-25", "2026-02-21 2026-02-22"},
		// holidays
		{"XHKG", "2022-12-28", "2022-12-26 2022-12-27"},
		{"XTKS", "2024-09-24", "2024-09-23 2024-12-31"},
		{"XLON", "2023-05-09", "2023-05-01 2023-05-08 2023-05-29 2022-09-19"},
		{"XSHG", "2026-02-13", "2026-02-16 2026-02-23 2026-10-01"},
		// outside of the recorded range
		{"XNYS", "1969-12-25 2102-12-25", "1969-12-27 1970-01-01 2101-12-26"},
		{"XSAU", "2010-01-03 2020-09-23 2030-09-23", "2010-01-01 2031-08-01"},
		{"XTAE", "1999-01-03 2047-01-04", "1999-01-01 2047-01-05 2047-01-06"},
		{"XIDX", "2026-03-20 2026-09-07", "2026-01-01 2026-05-01 2026-12-25"},
	} {
		for _, d := range strings.Fields(c.open) {
			if !lookup(t, c.name).Open(day(t, d)) {
				t.Errorf("%s is shut on %s", c.name, d)
			}
		}
		for _, d := range strings.Fields(c.shut) {
			if lookup(t, c.name).Open(day(t, d)) {
				t.Errorf("%s is open on %s", c.name, d)
			}
		}
	}
}

// slowNext walks from day to day.
func slowNext(c *calendar.Calendar, d calendar.Date, n int) calendar.Date {
	for ; n > 0; n-- {
		for d++; !c.Open(d); d++ {
		}
	}
	return d
}

// checkAt compares what is computed with what a walk over the days finds.
func checkAt(t *testing.T, c *calendar.Calendar, d calendar.Date, n int) {
	t.Helper()
	to := slowNext(c, d, n)
	if got := c.Next(d, n); got != to {
		t.Fatalf("%s: Next(%v, %d) = %v, want %v", c.Name(), d, n, got, to)
	}
	if got := c.Between(d, to); got != n {
		t.Fatalf("%s: Between(%v, %v) = %d, want %d", c.Name(), d, to, got, n)
	}
	if got := c.Between(to+1, d); got != 0 {
		t.Fatalf("%s: Between(%v, %v) = %d, want 0", c.Name(), to+1, d, got)
	}
	floor := d
	for !c.Open(floor) {
		floor--
	}
	if got := c.Floor(d); got != floor {
		t.Fatalf("%s: Floor(%v) = %v, want %v", c.Name(), d, got, floor)
	}
	steps := 0
	if c.Open(d) {
		steps = 1
	}
	if got := c.Ordinal(d) - c.Ordinal(d-1); got != steps {
		t.Fatalf("%s: Ordinal grows by %d on %v, want %d", c.Name(), got, d, steps)
	}
}

func TestEachAgainstWalk(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, name := range calendar.Names() {
		c := lookup(t, name)
		from, to := c.Recorded()
		for _, edge := range []calendar.Date{from, to, day(t, "2026-01-04"), day(t, "1970-01-05")} {
			for d := edge - 100; d < edge+100; d++ {
				checkAt(t, c, d, rng.IntN(100))
			}
		}
		for range 200 {
			d := calendar.Of(1950, 1, 1) + calendar.Date(rng.IntN(200*365))
			checkAt(t, c, d, rng.IntN(600))
			checkAt(t, c, calendar.Date(rng.IntN(10_000*365)-1970*365), 30)
		}
		if d := day(t, "2026-07-04"); c.Next(d, 0) != d || c.Next(d, -3) != d {
			t.Errorf("%s: Next(%v, 0 or less) moves", name, d)
		}
	}
}

func FuzzCalendar(f *testing.F) {
	f.Add(0, int32(20000), 30)
	f.Add(21, int32(20457), 300)
	f.Add(37, int32(-719000), 1)
	f.Fuzz(func(t *testing.T, i int, at int32, n int) {
		names := calendar.Names()
		c := lookup(t, names[uint(i)%uint(len(names))])
		// Any Date is safe; those of the years 1 to 9999 are right.
		c.Next(calendar.Date(at), n)
		c.Floor(calendar.Date(at))
		d := calendar.Date(uint32(at)%3_652_059) + calendar.Of(1, 1, 1)
		checkAt(t, c, d, int(uint(n)%1000))
		if last := c.LastClosed(d.Time()); !c.Open(last) || last > d {
			t.Fatalf("%s: %v is the last session closed at the start of %v", c.Name(), last, d)
		}
	})
}

func TestLastClosed(t *testing.T) {
	for _, c := range []struct{ name, at, want string }{
		{"XNYS", "2026-03-05T17:00:00-05:00", "2026-03-05"},
		{"XNYS", "2026-03-05T19:30:00-05:00", "2026-03-05"}, // it is Friday in UTC
		{"XNYS", "2026-03-06T08:00:00-05:00", "2026-03-05"},
		{"XNYS", "2026-03-06T15:59:59-05:00", "2026-03-05"},
		{"XNYS", "2026-03-06T16:00:00-05:00", "2026-03-06"},
		{"XNYS", "2026-03-09T16:00:00-04:00", "2026-03-09"}, // clocks have changed
		{"XNYS", "2026-03-09T15:59:59-04:00", "2026-03-06"},
		{"XNYS", "2026-11-27T12:59:59-05:00", "2026-11-25"}, // a short day
		{"XNYS", "2026-11-27T13:00:00-05:00", "2026-11-27"},
		{"XNYS", "2102-11-30T16:00:00-05:00", "2102-11-30"},
		{"XLON", "2026-12-24T12:30:00Z", "2026-12-24"},
		{"XTKS", "2024-11-01T15:00:00+09:00", "2024-11-01"},
		{"XTKS", "2024-11-05T15:29:00+09:00", "2024-11-01"}, // half an hour more
		{"XTKS", "2024-11-05T15:30:00+09:00", "2024-11-05"},
		{"XNZE", "2026-12-24T12:44:59+13:00", "2026-12-23"},
		{"XNZE", "2026-12-24T12:45:00+13:00", "2026-12-24"}, // in UTC it is the 23rd
		{"XSAU", "2026-03-15T15:00:00+03:00", "2026-03-15"}, // a Sunday
		{"24/7", "2026-03-07T23:59:59.999999999Z", "2026-03-06"},
		{"24/7", "2026-03-08T00:00:00Z", "2026-03-07"},
		{"weekdays", "2026-03-09T00:00:00Z", "2026-03-06"},
		{"weekdays", "2026-03-10T00:00:00Z", "2026-03-09"},
	} {
		at, err := time.Parse(time.RFC3339Nano, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := lookup(t, c.name).LastClosed(at).String(); got != c.want {
			t.Errorf("%s: LastClosed(%s) = %s, want %s", c.name, c.at, got, c.want)
		}
	}
}

func TestCalendarAllocatesNothing(t *testing.T) {
	c, d, at := lookup(t, "XTAE"), day(t, "2026-11-20"), time.Now()
	dates, closes := seriesOf(c, rand.New(rand.NewPCG(1, 1)), 250)
	for name, f := range map[string]func(){
		"Lookup":     func() { calendar.Lookup("xnze") },
		"Next":       func() { c.Next(d, 30) },
		"Between":    func() { c.Between(d, d+1000) },
		"Floor":      func() { c.Floor(d + 1) },
		"Open":       func() { c.Open(d) },
		"LastClosed": func() { c.LastClosed(at) },
		"Detect":     func() { calendar.Detect(dates, closes, c) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s makes %v allocations, want 0", name, n)
		}
	}
}

func BenchmarkLastClosed(b *testing.B) {
	c, at := lookup(b, "XNYS"), day(b, "2026-02-18").Time()
	b.ReportAllocs()
	for b.Loop() {
		c.LastClosed(at)
	}
}
