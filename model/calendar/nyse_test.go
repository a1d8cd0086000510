package calendar_test

import (
	"strings"
	"testing"
	"time"

	"tickercast/model/calendar"
)

// The dates below are those of the exchange's published lists, and of the rules where it has
// published none yet.

func TestHolidays(t *testing.T) {
	for year, list := range map[int]string{
		2001: "01-01 01-15 02-19 04-13 05-28 07-04 09-03 09-11 09-12 09-13 09-14 11-22 12-25",
		2004: "01-01 01-19 02-16 04-09 05-31 06-11 07-05 09-06 11-25 12-24",
		2007: "01-01 01-02 01-15 02-19 04-06 05-28 07-04 09-03 11-22 12-25",
		2011: "01-17 02-21 04-22 05-30 07-04 09-05 11-24 12-26",
		2012: "01-02 01-16 02-20 04-06 05-28 07-04 09-03 10-29 10-30 11-22 12-25",
		2018: "01-01 01-15 02-19 03-30 05-28 07-04 09-03 11-22 12-05 12-25",
		2021: "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24",
		2022: "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26",
		2025: "01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25",
		2026: "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25",
		2027: "01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24",
		2028: "01-17 02-21 04-14 05-29 06-19 07-04 09-04 11-23 12-25",
		2029: "01-01 01-15 02-19 03-30 05-28 06-19 07-04 09-03 11-22 12-25",
		2030: "01-01 01-21 02-18 04-19 05-27 06-19 07-04 09-02 11-28 12-25",
	} {
		var got []string
		for d := calendar.Of(year, time.January, 1); d < calendar.Of(year+1, time.January, 1); d++ {
			if !isWeekend(d) && !calendar.Default().Open(d) {
				got = append(got, d.String()[len("2006-"):])
			}
		}
		if got := strings.Join(got, " "); got != list {
			t.Errorf("%d: closed on\n%s, want\n%s", year, got, list)
		}
	}
}

func TestNext(t *testing.T) {
	for _, c := range []struct {
		from string
		n    int
		want string
	}{
		{"2001-09-10", 1, "2001-09-17"},
		{"2021-06-18", 1, "2021-06-21"}, // Juneteenth was not yet kept
		{"2021-12-31", 1, "2022-01-03"}, // New Year's Day on a Saturday
		{"2022-06-17", 1, "2022-06-21"},
		{"2025-01-08", 1, "2025-01-10"},
		{"2026-04-02", 1, "2026-04-06"}, // Good Friday
		{"2026-07-02", 1, "2026-07-06"},
		{"2026-07-04", 1, "2026-07-06"}, // from a Saturday
		{"2026-11-25", 1, "2026-11-27"}, // a short day is a day
		{"2027-06-17", 1, "2027-06-21"},
		{"2027-12-23", 1, "2027-12-27"},
		{"2027-12-31", 1, "2028-01-03"},
		{"2022-11-30", 30, "2023-01-13"},
		{"2024-11-26", 30, "2025-01-13"},
		{"2026-01-02", 30, "2026-02-17"},
		{"2026-07-02", 30, "2026-08-14"},
		{"2026-11-20", 30, "2027-01-06"},
		{"2026-12-31", 30, "2027-02-16"},
		{"2027-12-31", 30, "2028-02-14"},
		{"2025-12-31", 251, "2026-12-31"},
		{"2026-07-04", 0, "2026-07-04"},
		{"2026-07-04", -3, "2026-07-04"},
	} {
		if got := calendar.Default().Next(day(t, c.from), c.n).String(); got != c.want {
			t.Errorf("Next(%s, %d) = %s, want %s", c.from, c.n, got, c.want)
		}
	}
}

// TestAgainstWalk compares New York's calendar with a walk from day to day, which asks of each
// whether it is a holiday by the rules of the exchange.
func TestAgainstWalk(t *testing.T) {
	first, last := day(t, "1998-01-01"), day(t, "2101-12-31")
	var open []calendar.Date
	for d := first; d <= last; d++ {
		want := !isWeekend(d) && !isHoliday(d)
		if got := calendar.Default().Open(d); got != want {
			t.Fatalf("Open(%v, a %v) = %v", d, d.Weekday(), got)
		}
		if want {
			open = append(open, d)
		}
	}
	at := 0 // open[at-1] is the last trading day up to d
	for d := open[0]; d < open[len(open)-300]; d++ {
		for open[at] <= d {
			at++
		}
		if got, want := calendar.Default().Floor(d), open[at-1]; got != want {
			t.Fatalf("Floor(%v) = %v, want %v", d, got, want)
		}
		for _, n := range []int{1, 2, 3, 5, 21, 30, 252} {
			to := open[at-1+n]
			if got := calendar.Default().Next(d, n); got != to {
				t.Fatalf("Next(%v, %d) = %v, want %v", d, n, got, to)
			}
			if got := calendar.Default().Between(d, to); got != n {
				t.Fatalf("Between(%v, %v) = %d, want %d", d, to, got, n)
			}
			if got := calendar.Default().Between(d, to-1); got != n-1 {
				t.Fatalf("Between(%v, %v) = %d, want %d", d, to-1, got, n-1)
			}
			if got := calendar.Default().Between(to, d); got != 0 {
				t.Fatalf("Between(%v, %v) = %d, want 0", to, d, got)
			}
		}
	}
	if got, want := calendar.Default().Between(first-1, last), len(open); got != want {
		t.Errorf("Between(%v, %v) = %d, want %d", first-1, last, got, want)
	}
}

func TestAllocations(t *testing.T) {
	d, text, buf := day(t, "2026-11-20"), []byte("2026-11-20"), make([]byte, 0, 16)
	for name, f := range map[string]func(){
		"Next":     func() { calendar.Default().Next(d, 30) },
		"Between":  func() { calendar.Default().Between(d, d+1000) },
		"Floor":    func() { calendar.Default().Floor(d + 1) },
		"Open":     func() { calendar.Default().Open(d) },
		"Parse":    func() { calendar.Parse(text) },
		"AppendTo": func() { d.AppendTo(buf) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s makes %v allocations, want 0", name, n)
		}
	}
}

func isWeekend(d calendar.Date) bool {
	return d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
}

// isHoliday asks of a weekday what the exchange would: which holiday is it?
func isHoliday(d calendar.Date) bool {
	year, month, dom := d.Civil()
	// on: d is that date, or the weekday that stands for it.
	on := func(m time.Month, day int) bool {
		switch d.Weekday() {
		case time.Friday:
			if _, m1, day1 := (d + 1).Civil(); m1 == m && day1 == day {
				return true
			}
		case time.Monday:
			if _, m1, day1 := (d - 1).Civil(); m1 == m && day1 == day {
				return true
			}
		}
		return month == m && dom == day
	}
	is := func(m time.Month, w time.Weekday, week int) bool {
		return month == m && d.Weekday() == w && (dom+6)/7 == week
	}
	newYear := on(time.January, 1) && month == time.January // never in the old year
	memorial := month == time.May && d.Weekday() == time.Monday && dom+7 > 31
	return newYear ||
		is(time.January, time.Monday, 3) ||
		is(time.February, time.Monday, 3) ||
		d+2 == easterSunday(year) ||
		memorial ||
		year >= 2022 && on(time.June, 19) ||
		on(time.July, 4) ||
		is(time.September, time.Monday, 1) ||
		is(time.November, time.Thursday, 4) ||
		on(time.December, 25) ||
		strings.Contains("2001-09-11 2001-09-12 2001-09-13 2001-09-14 2004-06-11 2007-01-02 "+
			"2012-10-29 2012-10-30 2018-12-05 2025-01-09", d.String())
}

// easterSunday finds the Sunday after the paschal full moon, by the epact of the Gregorian reform.
func easterSunday(year int) calendar.Date {
	century := year/100 + 1
	solar, lunar := 3*century/4-12, (8*century+5)/25-5
	golden := year%19 + 1
	epact := ((11*golden+20+lunar-solar)%30 + 30) % 30
	if epact == 25 && golden > 11 || epact == 24 {
		epact++
	}
	moon := 44 - epact
	if moon < 21 {
		moon += 30
	}
	d := calendar.Of(year, time.March, moon) + 1
	for d.Weekday() != time.Sunday {
		d++
	}
	return d
}

func BenchmarkNext(b *testing.B) {
	from := day(b, "2026-02-18")
	for _, c := range []struct {
		name string
		n    int
	}{{"1", 1}, {"30", 30}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				calendar.Default().Next(from, c.n)
			}
		})
	}
}
