package market

import (
	"math"

	"tickercast/model/calendar"
)

// MinHistory is the number of closes from which a series can be forecast.
const MinHistory = 30

const (
	// minNames is how many tickers must trade on a day for their mean to tell of a market; the mean
	// of three is only noise that the model was not trained on.
	minNames = 20
	// minMarketDays is how long the market must have been watched.
	minMarketDays = 30
	// maxMarketMove bounds one ticker's part in the market's mean.
	maxMarketMove = 0.2
)

// A Tape holds what all tickers of a panel tell together, day by day. The entry of a day depends on
// that day and on earlier ones alone.
type Tape struct {
	d     *decay
	first calendar.Date
	days  []marketDay // by date - first
}

type marketDay struct {
	names                   int
	sumAbs, sum             float64
	vol, last, trend, level float64
	known                   bool
}

// NewTape reads the whole panel once.
func NewTape(p *Panel) *Tape {
	t := &Tape{d: newDecay()}
	end := calendar.Date(math.MinInt32)
	t.first = math.MaxInt32
	all := p.Series()
	for i := range all {
		if n := len(all[i].Dates); n > 0 {
			t.first = min(t.first, all[i].Dates[0])
			end = max(end, all[i].Dates[n-1])
		}
	}
	if end < t.first {
		return t
	}
	t.days = make([]marketDay, end-t.first+1)
	for i := range all {
		t.add(&all[i])
	}
	t.settle()
	return t
}

func (t *Tape) add(s *Series) {
	before := 0.0
	for i, c := range s.Close {
		p := math.Log(c)
		if i > 0 && !isGap(s.Dates[i-1], s.Dates[i]) {
			r := min(max(p-before, -maxMarketMove), maxMarketMove)
			d := &t.days[s.Dates[i]-t.first]
			d.names++
			d.sum += r
			d.sumAbs += math.Abs(r)
		}
		before = p
	}
}

// settle turns the sums into the market's features. Days on which few tickers traded repeat the day
// before.
func (t *Tape) settle() {
	var fast, slow, trend, trendAbs average
	k90, k99 := 0.90, 0.99
	seen := 0
	var now marketDay
	for i := range t.days {
		d := &t.days[i]
		if d.names >= minNames {
			seen++
			abs, mean := d.sumAbs/float64(d.names), d.sum/float64(d.names)
			now.last = math.Log((abs + 1e-4) / (slow.mean() + 1e-4))
			fast.add(k90, abs)
			slow.add(k99, abs)
			trend.add(t.d.k5, mean)
			trendAbs.add(t.d.speeds[speed70], math.Abs(mean))
			now.vol = math.Log((fast.mean() + 1e-4) / (slow.mean() + 1e-4))
			now.level = math.Log(slow.mean() + 1e-4)
			now.trend = trend.mean() / (trendAbs.mean() + 1e-4)
			now.known = seen >= minMarketDays
		}
		d.vol, d.last, d.trend, d.level, d.known = now.vol, now.last, now.trend, now.level,
			now.known
	}
}

// fill writes the market's features of a day.
func (t *Tape) fill(day calendar.Date, x *Features) {
	i := int(day - t.first)
	if i < 0 || i >= len(t.days) || !t.days[i].known {
		return
	}
	d := &t.days[i]
	x[marketKnown] = 1
	x[marketVol] = d.vol
	x[marketLast] = d.last
	x[marketTrend] = d.trend
	x[marketRatio] = x[logScale] + math.Log(RefScale) - d.level
}

// Walk goes through a series from its row from on, as if it began there, and calls yield with the
// features known at the close of row i, for every row that has MinHistory closes and is asked for
// by want (nil asks for all).
func (t *Tape) Walk(s *Series, from int, want func(i int) bool, yield func(i int, x *Features)) {
	st := state{d: t.d}
	var x Features
	for i := from; i < len(s.Close); i++ {
		st.push(s.Dates[i], s.bar(i))
		if st.n < MinHistory || want != nil && !want(i) {
			continue
		}
		st.features(&x)
		t.fill(s.Dates[i], &x)
		yield(i, &x)
	}
}

func (s *Series) bar(i int) bar {
	b := bar{math.NaN(), math.NaN(), math.NaN(), s.Close[i]}
	if s.Open != nil && s.High != nil && s.Low != nil {
		b.open, b.high, b.low = s.Open[i], s.High[i], s.Low[i]
	}
	return b
}
