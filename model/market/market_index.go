package market

import (
	"context"
	"math"
	"slices"
	"time"

	"tickercast/model/calendar"
	"tickercast/model/internal/pace"
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

// A MarketIndex holds what the tickers of each calendar say together, day by day. The entry of a
// day depends on that day and on earlier days only.
type MarketIndex struct {
	groups []calendarGroup
	of     map[string]int // the group of each ticker; nil if there is one group
}

// A calendarGroup is the tickers of one calendar.
type calendarGroup struct {
	calendar *calendar.Calendar
	first    calendar.Date
	days     []marketDay // by date - first
}

type marketDay struct {
	names                   int
	sumAbs, sum             float64
	vol, last, trend, level float64
	known                   bool
}

// NewMarketIndex reads all prices once. It fails only when ctx ends.
func NewMarketIndex(ctx context.Context, daily *Daily) (*MarketIndex, error) {
	m := &MarketIndex{of: map[string]int{}}
	series := daily.panel.Series()
	for i := range series {
		s, c := &series[i], daily.fits[i].Calendar
		at := slices.IndexFunc(m.groups, func(g calendarGroup) bool { return g.calendar == c })
		if at < 0 {
			at = len(m.groups)
			m.groups = append(m.groups, calendarGroup{calendar: c, first: s.Dates[0]})
		}
		m.groups[at].first = min(m.groups[at].first, s.Dates[0])
		m.of[s.Ticker] = at
	}
	for i := range m.groups {
		g := &m.groups[i]
		g.days = make([]marketDay, daily.panel.AsOf()-g.first+1)
	}
	pacer := pace.Of(ctx)
	for i := range series {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m.groups[m.of[series[i].Ticker]].add(&series[i])
		pacer.Worked(time.Duration(series[i].Len()) * addTime)
	}
	for i := range m.groups {
		m.groups[i].derive()
	}
	if len(m.groups) == 1 {
		m.of = nil
	}
	return m, nil
}

// group returns the group of a ticker, or nil if the index does not have it.
func (m *MarketIndex) group(ticker string) *calendarGroup {
	i, ok := m.of[ticker]
	if !ok && len(m.groups) != 1 {
		return nil
	}
	return &m.groups[i]
}

func (g *calendarGroup) add(s *Series) {
	before := 0.0
	for i, c := range s.Close {
		p := math.Log(c)
		if i > 0 && !isGap(s.Dates[i-1], s.Dates[i]) {
			r := min(max(p-before, -maxMarketMove), maxMarketMove)
			d := &g.days[s.Dates[i]-g.first]
			d.names++
			d.sum += r
			d.sumAbs += math.Abs(r)
		}
		before = p
	}
}

// derive turns the sums into features. A day on which few tickers traded repeats the day before.
func (g *calendarGroup) derive() {
	var fast, slow, trend, trendAbs average
	k90, k99 := 0.90, 0.99
	seen := 0
	var now marketDay
	for i := range g.days {
		d := &g.days[i]
		if d.names >= minNames {
			seen++
			abs, mean := d.sumAbs/float64(d.names), d.sum/float64(d.names)
			now.last = math.Log((abs + 1e-4) / (slow.mean() + 1e-4))
			fast.add(k90, abs)
			slow.add(k99, abs)
			trend.add(decays[speed5], mean)
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
func (g *calendarGroup) fill(day calendar.Date, x *Features) {
	i := int(day - g.first)
	if i < 0 || i >= len(g.days) || !g.days[i].known {
		return
	}
	d := &g.days[i]
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
	market := m.group(s.Ticker)
	var x Features
	for i := from; i < len(s.Close); i++ {
		st.push(s.Dates[i], s.row(i))
		if st.n >= MinHistory && want(i) {
			st.features(&x)
			if market != nil {
				market.fill(s.Dates[i], &x)
			}
			yield(i, &x)
		}
	}
}

// WalkOrigins walks a whole series and calls yield for its rows on the given days, which are
// sorted, if a later row shows what came. The day is the index of the row's date in days. It does
// not stop when ctx ends.
func (m *MarketIndex) WalkOrigins(ctx context.Context, s *Series, days []calendar.Date,
	yield func(day, i int, x *Features)) {
	var day int
	pacer := pace.Of(ctx)
	m.Walk(s, 0, func(i int) (ok bool) {
		pacer.Worked(rowTime)
		day, ok = slices.BinarySearch(days, s.Dates[i])
		return ok && i+1 < len(s.Dates)
	}, func(i int, x *Features) { yield(day, i, x) })
}
