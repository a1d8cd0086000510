package market

import (
	"context"
	"math"
	"slices"

	"tickercast/model/calendar"
)

// MinHistory is the least number of closes that a forecast needs.
const MinHistory = 30

const (
	// minNames is how many tickers must trade on a day for their mean to describe a market. The
	// mean of a few is noise that the model was not trained on.
	minNames = 20
	// minMarketDays is how many such days there must be.
	minMarketDays = 30
	// maxMarketMove bounds one ticker's part in the market's mean.
	maxMarketMove = 0.2
)

// A MarketIndex holds what all tickers of a panel say together, day by day. The entry of a day
// depends on that day and on earlier days only.
type MarketIndex struct {
	first calendar.Date
	days  []marketDay // by date - first
}

type marketDay struct {
	names                   int
	sumAbs, sum             float64
	vol, last, trend, level float64
	known                   bool
}

// NewMarketIndex reads the whole panel once. It fails only when ctx ends.
func NewMarketIndex(ctx context.Context, p *Panel) (*MarketIndex, error) {
	m := &MarketIndex{first: p.From(), days: make([]marketDay, p.AsOf()-p.From()+1)}
	for i := range p.Series() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m.add(&p.Series()[i])
	}
	m.derive()
	return m, nil
}

func (m *MarketIndex) add(s *Series) {
	before := 0.0
	for i, c := range s.Close {
		p := math.Log(c)
		if i > 0 && !isGap(s.Dates[i-1], s.Dates[i]) {
			r := min(max(p-before, -maxMarketMove), maxMarketMove)
			d := &m.days[s.Dates[i]-m.first]
			d.names++
			d.sum += r
			d.sumAbs += math.Abs(r)
		}
		before = p
	}
}

// derive turns the sums into features. A day on which few tickers traded repeats the day before.
func (m *MarketIndex) derive() {
	var fast, slow, trend, trendAbs average
	k90, k99 := 0.90, 0.99
	seen := 0
	var now marketDay
	for i := range m.days {
		d := &m.days[i]
		if d.names >= minNames {
			seen++
			abs, mean := d.sumAbs/float64(d.names), d.sum/float64(d.names)
			now.last = math.Log((abs + 1e-4) / (slow.mean() + 1e-4))
			fast.add(k90, abs)
			slow.add(k99, abs)
			trend.add(decay5, mean)
			trendAbs.add(decays[speed70], math.Abs(mean))
			now.vol = math.Log((fast.mean() + 1e-4) / (slow.mean() + 1e-4))
			now.level = math.Log(slow.mean() + 1e-4)
			now.trend = trend.mean() / (trendAbs.mean() + 1e-4)
			now.known = seen >= minMarketDays
		}
		*d = now
	}
}

// fill writes the market's features of a day.
func (m *MarketIndex) fill(day calendar.Date, x *Features) {
	i := int(day - m.first)
	if i < 0 || i >= len(m.days) || !m.days[i].known {
		return
	}
	d := &m.days[i]
	x[marketKnown] = 1
	x[marketVol] = d.vol
	x[marketLast] = d.last
	x[marketTrend] = d.trend
	x[marketRatio] = x[logScale] + math.Log(RefScale) - d.level
}

// Walk goes through a series as if it began at row from. It calls yield with the features known at
// the close of row i, for every row with MinHistory closes for which want returns true.
func (m *MarketIndex) Walk(s *Series, from int, want func(i int) bool,
	yield func(i int, x *Features)) {
	var st state
	var x Features
	for i := from; i < len(s.Close); i++ {
		st.push(s.Dates[i], s.row(i))
		if st.n >= MinHistory && want(i) {
			st.features(&x)
			m.fill(s.Dates[i], &x)
			yield(i, &x)
		}
	}
}

// WalkDays walks a whole series and calls yield for its rows on the given days, which are sorted.
// The day is the index of the row's date in days.
func (m *MarketIndex) WalkDays(s *Series, days []calendar.Date,
	yield func(day, i int, x *Features)) {
	var day int
	m.Walk(s, 0, func(i int) (ok bool) {
		day, ok = slices.BinarySearch(days, s.Dates[i])
		return ok
	}, func(i int, x *Features) { yield(day, i, x) })
}
