package calendar_test

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"tickercast/model/calendar"
)

// seriesOf returns so many sessions in a row, from a random day of the recorded range on, and
// closes.
func seriesOf(c *calendar.Calendar, rng *rand.Rand, n int) ([]calendar.Date, []float64) {
	from, to := c.Recorded()
	from, to = max(from, day2000), min(to, day2046)
	d := from + calendar.Date(rng.IntN(int(to-from)-n*8/5))
	if c.Name() == "24/7" {
		d = from + calendar.Date(rng.IntN(int(to-from)-n))
	}
	dates := make([]calendar.Date, n)
	for i := range dates {
		d = c.Next(d, 1)
		dates[i] = d
	}
	return dates, closesOf(rng, n)
}

var day2000, day2046 = calendar.Of(2000, 1, 1), calendar.Of(2046, 12, 31)

// closesOf returns closes of which one in 50 is as the one before.
func closesOf(rng *rand.Rand, n int) []float64 {
	closes := make([]float64, n)
	for i := range closes {
		if closes[i] = rng.Float64(); i > 0 && rng.IntN(50) == 0 {
			closes[i] = closes[i-1]
		}
	}
	return closes
}

// spoil leaves out rows, and adds some on days without a session.
func spoil(c *calendar.Calendar, rng *rand.Rand, dates []calendar.Date, lost, added float64) (
	out []calendar.Date) {
	for d := dates[0]; d <= dates[len(dates)-1]; d++ {
		if c.Open(d) && rng.Float64() >= lost || !c.Open(d) && rng.Float64() < added {
			out = append(out, d)
		}
	}
	return out
}

// coincide reports whether calendars have the same sessions from the first of the dates to the
// last.
func coincide(a, b *calendar.Calendar, dates []calendar.Date) bool {
	for d := dates[0]; d <= dates[len(dates)-1]; d++ {
		if a.Open(d) != b.Open(d) {
			return false
		}
	}
	return true
}

func TestDetectFindsTheCalendar(t *testing.T) {
	tries := 50
	if testing.Short() {
		tries = 10
	}
	for _, k := range []struct {
		what        string
		rows        int
		lost, added float64
		expected    string
		least, of   float64 // right in percent: of all series, of those of any calendar
	}{
		{"whole", 250, 0, 0, "", 100, 100},
		{"3 % lost", 250, 0.03, 0, "", 98, 80},
		{"2 % lost, rows added", 250, 0.02, 0.01, "", 98, 80},
		{"2 % lost, among XNYS", 250, 0.02, 0.002, "XNYS", 98, 80},
		{"2 % lost, among XPAR", 250, 0.02, 0.002, "XPAR", 95, 50},
		{"every third lost", 250, 0.33, 0, "", 85, 50},
		{"three months", 60, 0, 0, "", 100, 100},
		{"six years, 2 % lost, rows added", 1500, 0.02, 0.005, "", 99, 80},
	} {
		rng := rand.New(rand.NewPCG(7, 7))
		var expected *calendar.Calendar
		if k.expected != "" {
			expected = lookup(t, k.expected)
		}
		all, worst, fewest := 0, "", tries+1
		for _, name := range calendar.Names() {
			c, right := lookup(t, name), 0
			for range tries {
				dates, _ := seriesOf(c, rng, k.rows)
				dates = spoil(c, rng, dates, k.lost, k.added)
				got := calendar.Detect(dates, closesOf(rng, len(dates)), expected)
				if got.Shift == 0 && got.Calendar != nil && coincide(got.Calendar, c, dates) {
					right++
				}
			}
			if all += right; right < fewest {
				worst, fewest = name, right
			}
		}
		share := 100 * float64(all) / float64(tries*len(calendar.Names()))
		least := 100 * float64(fewest) / float64(tries)
		t.Logf("%s: %.2f %% of series are right, least of all those of %s with %.0f %%", k.what,
			share, worst, least)
		if share < k.least || least < k.of && !testing.Short() {
			t.Errorf("%s: want %v %% of all, %v %% of each calendar", k.what, k.least, k.of)
		}
	}
}

// fill adds rows on all days of another calendar, with the close of the row before.
func fill(dates []calendar.Date, closes []float64, days *calendar.Calendar) (
	filled []calendar.Date, same []float64) {
	i := 0
	for d := dates[0]; d <= dates[len(dates)-1]; d++ {
		for dates[i] < d {
			i++
		}
		if dates[i] == d {
			filled, same = append(filled, d), append(same, closes[i])
		} else if days.Open(d) {
			filled, same = append(filled, d), append(same, closes[i-1])
		}
	}
	return filled, same
}

// thin keeps the last row of each period.
func thin(dates []calendar.Date, period func(calendar.Date) int) (out []calendar.Date) {
	for i, d := range dates {
		if i+1 == len(dates) || period(dates[i+1]) != period(d) {
			out = append(out, d)
		}
	}
	return out
}

func TestDetectRefusesOtherSeries(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, name := range calendar.Names() {
		c := lookup(t, name)
		dates, closes := seriesOf(c, rng, 1500)
		weekly := thin(dates, func(d calendar.Date) int { return int(d+3) / 7 })
		if f := calendar.Detect(weekly, nil, c); f.Calendar != nil || f.Gap != 7 || f.Filled {
			t.Errorf("%s, weekly: %+v", name, f)
		}
		monthly := thin(dates, func(d calendar.Date) int {
			y, m, _ := d.Civil()
			return 12*y + int(m)
		})
		if f := calendar.Detect(monthly, nil, nil); f.Calendar != nil || f.Gap < 28 || f.Gap > 33 {
			t.Errorf("%s, monthly: %+v", name, f)
		}
		if name == "24/7" {
			continue
		}
		for _, n := range []int{60, 250, 1500} {
			d, p := fill(dates[:n], closes[:n], lookup(t, "24/7"))
			if f := calendar.Detect(d, p, nil); f.Calendar != nil || !f.Filled || f.Gap != 1 {
				t.Errorf("%s, %d rows filled on every day: %+v", name, n, f)
			}
		}
		if name == "XSAU" || name == "XTAE" || name == "weekdays" {
			continue
		}
		// Its rows come on weekdays, so that is where the next ones are.
		d, p := fill(dates[:250], closes, lookup(t, "weekdays"))
		if f := calendar.Detect(d, p, c); f.Calendar == nil || f.Calendar.Name() != "weekdays" {
			t.Errorf("%s, filled on weekdays: %+v", name, f)
		}
	}
}

func TestDetectNeedsClearCauses(t *testing.T) {
	xnys, xlon := lookup(t, "XNYS"), lookup(t, "XLON")
	rng := rand.New(rand.NewPCG(5, 5))
	dates, closes := seriesOf(xnys, rng, 250)
	name := func(dates []calendar.Date, closes []float64, expected *calendar.Calendar) string {
		if f := calendar.Detect(dates, closes, expected); f.Calendar != nil {
			return f.Calendar.Name()
		}
		return "none"
	}
	if got := name(dates, closes, xlon); got != "XNYS" {
		t.Errorf("250 rows of XNYS among XLON are %s", got)
	}
	// In three weeks of February nothing tells the exchanges apart.
	short := dates[:0:0]
	for d := day(t, "2024-02-01"); len(short) < 10; d = xnys.Next(d, 1) {
		short = append(short, xnys.Next(d, 1))
	}
	if got := name(short, nil, xlon); got != "XLON" {
		t.Errorf("10 rows among XLON are %s", got)
	}
	if got := name(short, nil, nil); got != "XNYS" {
		t.Errorf("10 rows are %s", got)
	}
	for _, few := range [][]calendar.Date{nil, dates[:1], dates[:2]} {
		if got := name(few, nil, xlon); got != "XLON" {
			t.Errorf("%d rows among XLON are %s", len(few), got)
		}
		if f := calendar.Detect(few, nil, nil); f.Calendar == nil {
			t.Errorf("%d rows: %+v", len(few), f)
		}
	}
	// A coin that never moves is no filled series: its flat rows are not on closed days.
	coin, _ := seriesOf(lookup(t, "24/7"), rng, 250)
	if got := name(coin, make([]float64, 250), nil); got != "24/7" {
		t.Errorf("a coin that never moves is %s", got)
	}
}

func TestDetectSeesShiftedDates(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	seen, all := 0, 0
	for _, name := range calendar.Names() {
		if name == "24/7" || name == "weekdays" {
			continue // Sunday to Thursday without holidays is a week of its own
		}
		for _, shift := range []int{-1, 1} {
			dates, closes := seriesOf(lookup(t, name), rng, 250)
			for i := range dates {
				dates[i] -= calendar.Date(shift)
			}
			all++
			if f := calendar.Detect(dates, closes, nil); f.Shift == shift {
				seen++
			} else if f.Shift != 0 {
				t.Errorf("%s with dates that need %+d: %+v", name, shift, f)
			}
		}
	}
	if t.Logf("shifts seen in %d of %d series", seen, all); seen < all*9/10 {
		t.Error("want 9 in 10")
	}
}

// A week of other days counts even before the holidays of an exchange are recorded.
func TestDetectKnowsOldWeeks(t *testing.T) {
	var dates []calendar.Date
	for d := day(t, "2015-01-04"); len(dates) < 250; d++ {
		if d.Weekday() <= time.Thursday && d%23 != 0 { // a holiday now and then
			dates = append(dates, d)
		}
	}
	if f := calendar.Detect(dates, nil, lookup(t, "XNYS")); f.Calendar.Name() != "XSAU" {
		t.Errorf("Sunday to Thursday in 2015 is %s", f.Calendar.Name())
	}
}

// TestDetectUS reads files of daily prices of many US tickers.
func TestDetectUS(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 2.9 million rows")
	}
	for _, path := range usPrices {
		series := map[string][]calendar.Date{}
		for line := range lines(t, path) {
			if d, err := calendar.Parse(line[:min(10, len(line))]); err == nil {
				ticker := string(bytes.Split(line, []byte(","))[1])
				series[ticker] = append(series[ticker], d)
			}
		}
		for ticker, dates := range series {
			f := calendar.Detect(dates, nil, nil)
			if f.Calendar == nil || f.Calendar.Name() != "XNYS" {
				t.Errorf("%s: %s is %+v", path, ticker, f)
			}
		}
	}
}

func BenchmarkDetect(b *testing.B) {
	c := lookup(b, "XNYS")
	for _, rows := range []int{250, 6000} {
		rng := rand.New(rand.NewPCG(1, 1))
		dates, closes := seriesOf(c, rng, rows)
		b.Run(strconv.Itoa(rows), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				calendar.Detect(dates, closes, nil)
			}
		})
	}
}
