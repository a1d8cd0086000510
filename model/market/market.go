package market

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"tickercast/model/calendar"
)

// A Ticker is one series as a forecast needs it: the last close and the features.
type Ticker struct {
	Name     string
	Index    int                // in Market.Tickers
	Calendar *calendar.Calendar // nil if made by FromHistory
	AsOf     calendar.Date      // of the last close
	Close    float64            // as it was quoted
	Features Features
	Series   *Series // nil if made by FromHistory
}

// Age returns how many sessions have closed since the last close.
func (t *Ticker) Age(now time.Time) int {
	return t.Calendar.Between(t.AsOf, t.Calendar.LastClosed(now))
}

// A Market holds every ticker of a panel at the end of the panel. It is immutable.
type Market struct {
	daily    *Daily
	all      *calendar.Calendar // as New got it
	index    *MarketIndex
	tickers  []Ticker
	byName   map[string]int32
	aliases  map[string]int32 // of tickers
	refused  map[string]int32 // aliases of Refused
	warnings func() []Warning
}

// ErrShort says that no series of a panel has MinHistory closes.
var ErrShort = fmt.Errorf("no ticker has %d closes", MinHistory)

// New computes the features of every ticker with daily prices and at least MinHistory closes. The
// tickers have the calendars that NewDaily gives them. It stops early when ctx ends.
func New(ctx context.Context, p *Panel, all *calendar.Calendar) (*Market, error) {
	daily, err := NewDaily(ctx, p, all)
	if err != nil {
		return nil, err
	}
	index, err := NewMarketIndex(ctx, daily)
	if err != nil {
		return nil, err
	}
	m := &Market{daily: daily, all: all, index: index, byName: make(map[string]int32)}
	for i := range daily.panel.Series() {
		s := &daily.panel.Series()[i]
		if n := s.Len(); n >= MinHistory {
			m.byName[s.Ticker] = int32(len(m.tickers))
			m.tickers = append(m.tickers, Ticker{Name: s.Ticker, Index: len(m.tickers),
				Calendar: daily.fits[i].Calendar, AsOf: s.Dates[n-1], Close: s.Level(n - 1),
				Series: s})
		}
	}
	// Features take most of the time to start, so all cores work on them.
	err = forEach(ctx, len(m.tickers), func(i int) {
		t := &m.tickers[i]
		index.Walk(t.Series, 0, func(j int) bool { return j == t.Series.Len()-1 },
			func(_ int, x *Features) { t.Features = *x })
	}, func(i int) time.Duration { return time.Duration(m.tickers[i].Series.Len()) * rowTime })
	if err != nil {
		return nil, err
	}
	if len(m.tickers) == 0 {
		return nil, daily.errNone()
	}
	m.aliases = aliasesOf(len(m.tickers), func(i int) string { return m.tickers[i].Name })
	m.refused = aliasesOf(len(daily.refused),
		func(i int) string { return daily.refused[i].Ticker })
	m.warnings = sync.OnceValue(m.findWarnings)
	return m, nil
}

// Tickers lists the tickers by name. The caller must not change the list.
func (m *Market) Tickers() []Ticker { return m.tickers }

// Refused lists the tickers of the panel that are not among Tickers, by name.
func (m *Market) Refused() []Refusal { return m.daily.refused }

// AsOf returns the date of the panel's last row.
func (m *Market) AsOf() calendar.Date { return m.Panel().AsOf() }

// Calendars lists the calendars by how many tickers have them, as in "XNYS 503, 24/7 2".
func (m *Market) Calendars() string {
	count := map[string]int{}
	for i := range m.tickers {
		count[m.tickers[i].Calendar.Name()]++
	}
	names := slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		return cmp.Or(count[b]-count[a], strings.Compare(a, b))
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %d", name, count[name])
	}
	return strings.Join(names, ", ")
}

// MarketIndex returns what the tickers of each calendar say together, day by day.
func (m *Market) MarketIndex() *MarketIndex { return m.index }

// Source returns the panel that the market was made of, with the series that are no daily prices.
func (m *Market) Source() *Panel { return m.daily.source }

// Until returns the market as it was at the end of d, as if the panel had ended there.
func (m *Market) Until(ctx context.Context, d calendar.Date) (*Market, error) {
	return New(ctx, m.Source().Until(d), m.all)
}

// Daily returns the daily prices and their calendars.
func (m *Market) Daily() *Daily { return m.daily }

// Panel returns the daily prices that the market was made of.
func (m *Market) Panel() *Panel { return m.daily.panel }

// Footprint is about how many bytes the market takes beside its prices.
func (m *Market) Footprint() int {
	// Of a ticker: its features, names in maps, the headers of its columns, its calendar. Of a day:
	// what the tickers of a calendar say together.
	const tickerBytes, dayBytes = 1000, 88
	bytes := tickerBytes * len(m.daily.source.series)
	for i := range m.index.groups {
		bytes += dayBytes * len(m.index.groups[i].days)
	}
	return bytes
}

// Age returns how many sessions have closed since the last close of the market. If its tickers have
// several calendars, it is the age of the calendar that is furthest behind. A calendar counts from
// its newest ticker, and not at all if that ended before the others, unless most tickers have it.
func (m *Market) Age(now time.Time) (age int) {
	newest := map[*calendar.Calendar]*Ticker{}
	count := map[*calendar.Calendar]int{}
	var most *Ticker
	for i := range m.tickers {
		t := &m.tickers[i]
		if n := newest[t.Calendar]; n == nil || t.AsOf > n.AsOf {
			newest[t.Calendar] = t
		}
		if count[t.Calendar]++; most == nil || count[t.Calendar] > count[most.Calendar] {
			most = t
		}
	}
	for c, t := range newest {
		if c == most.Calendar || !m.ended(t) {
			age = max(age, t.Age(now))
		}
	}
	return age
}

// FromHistory makes a ticker from closes, oldest first, without daily ranges and without a market.
func FromHistory(name string, asOf calendar.Date, closes []float64) (Ticker, error) {
	if len(closes) < MinHistory {
		return Ticker{}, fmt.Errorf("%d closes are too few: need at least %d", len(closes),
			MinHistory)
	}
	var st state
	var logs [64]float64 // made together, they take half of the time
	for at, c := range closes {
		if !isPrice(c) {
			return Ticker{}, fmt.Errorf("close %d is %v: %w", at+1, c, errPrice)
		}
	}
	for part := range slices.Chunk(closes, len(logs)) {
		for i, c := range part {
			logs[i] = math.Log(c)
		}
		for i, c := range part {
			// One date for all rows: no gaps.
			st.pushLog(0, logs[i], ohlc{nan, nan, nan, c})
		}
	}
	t := Ticker{Name: name, AsOf: asOf, Close: closes[len(closes)-1]}
	st.features(&t.Features)
	return t, nil
}
