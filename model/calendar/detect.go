package calendar

import (
	"math"
	"math/bits"
	"slices"
)

// Fit is what the dates of a series say about it.
type Fit struct {
	// Calendar is nil if the rows are not daily prices: if Gap is over 3 or Filled is set.
	Calendar *Calendar
	Gap      int  // median of the days from one row to the next
	Filled   bool // rows on the days on which an exchange is closed repeat the close before them
	// Shift is 1 or -1 if dates moved by this many days fit some calendar far better, as when
	// closes of Tokyo are stamped in UTC. Calendar is that of the dates as they are.
	Shift int
}

// These are logarithms of odds. A row on a day without a session weighs more than a session
// without a row, as rows are more often lost than invented.
const (
	extraCost = 8.0  // of a row on a day without a session
	clearly   = 7.0  // lead that a calendar needs over the expected one: two missed sessions
	far       = 20.0 // lead that moved dates need
)

// Detect finds the calendar that explains the dates of a series best: rows on days without a
// session and sessions without a row count against it. If expected is not nil, it is kept unless
// another is clearly better. Dates rise strictly. Closes has one element for each date, or is nil:
// then Filled stays false. Only the last four years count, as calendars change.
func Detect(dates []Date, closes []float64, expected *Calendar) (f Fit) {
	if n := len(dates); n > 0 {
		start, _ := slices.BinarySearch(dates, dates[n-1]-64*(maxWords-1))
		dates = dates[start:]
		if closes != nil {
			closes = closes[start:]
		}
	}
	if f.Gap = medianGap(dates); f.Gap > 3 {
		return f
	}
	r := read(dates, closes, 0)
	best, cost := r.explain(expected)
	if best.new == everyDay && r.filled() {
		f.Filled = true
		return f
	}
	f.Calendar = best
	for shift := Date(-1); shift <= 1 && cost > far; shift += 2 {
		r = read(dates, nil, shift)
		if _, moved := r.explain(nil); moved < cost-far {
			f.Shift, cost = int(shift), moved
		}
	}
	return f
}

func medianGap(dates []Date) (gap int) {
	var counts [400]int
	for i := 1; i < len(dates); i++ {
		counts[min(int(dates[i]-dates[i-1]), len(counts)-1)]++
	}
	for n := 2 * counts[0]; n < len(dates)-1; n += 2 * counts[gap] {
		gap++
	}
	return gap
}

const maxWords = 24

// rows is the dates of a series as bits, in the words of Calendar.word.
type rows struct {
	count, first, words int              // of the rows; the first word and their number
	from, to            Date             // the first date and the last
	open                [maxWords]uint64 // days with a row
	flat                [maxWords]uint64 // days with a row that repeats the close before it
}

func read(dates []Date, closes []float64, shift Date) (r rows) {
	if len(dates) == 0 {
		return r
	}
	r.count, r.from, r.to = len(dates), dates[0]+shift, dates[len(dates)-1]+shift
	r.first = days(r.from) >> 6
	r.words = days(r.to)>>6 - r.first + 1
	for i, d := range dates {
		day := days(d+shift) - r.first*64
		r.open[day>>6] |= 1 << (day & 63)
		if closes != nil && (i == 0 || closes[i] == closes[i-1]) {
			r.flat[day>>6] |= 1 << (day & 63)
		}
	}
	return r
}

// explain returns the calendar with the least cost, and its cost.
func (r *rows) explain(expected *Calendar) (best *Calendar, cost float64) {
	cost = math.Inf(1)
	if expected != nil {
		best, cost = expected, r.cost(expected)-clearly
	}
	for i, all := 0, calendars(); i < len(all); i++ {
		c := &all[i]
		if r.to < c.from && c.old == mondayToFriday || c.to < r.from && c.new == mondayToFriday {
			continue // its holidays are not known: it is as "weekdays"
		}
		if v := r.cost(c); v < cost {
			best, cost = c, v
		}
	}
	return best, cost
}

// cost is what the rows say against a calendar. The rate at which its sessions lack a row is taken
// from the rows themselves.
func (r *rows) cost(c *Calendar) float64 {
	sessions, hits := c.Between(r.from-1, r.to), r.in(c, &r.open)
	missed := float64(sessions - hits)
	rate := (missed + 0.5) / float64(sessions+50)
	return extraCost*float64(r.count-hits) -
		missed*math.Log(rate) - float64(hits)*math.Log1p(-rate)
}

// in returns how many days of a set are sessions of c.
func (r *rows) in(c *Calendar, set *[maxWords]uint64) (n int) {
	for i, w := range set[:r.words] {
		n += bits.OnesCount64(w & c.word(r.first+i))
	}
	return n
}

// filled reports whether the rows on days without a session of some exchange are flat, all of
// them, while most rows in its sessions are not.
func (r *rows) filled() bool {
	flat := 0
	for _, w := range r.flat {
		flat += bits.OnesCount64(w)
	}
	for i, all := 0, calendars(); i < len(all); i++ {
		open, flatOpen := r.in(&all[i], &r.open), r.in(&all[i], &r.flat)
		extra, flatExtra := r.count-open, flat-flatOpen
		if extra >= 8 && 50*flatExtra >= 49*extra && 2*flatOpen < open {
			return true
		}
	}
	return false
}
