package market

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"tickercast/model/calendar"
)

// A Ticker is one series as a forecast needs it: the last close and the features.
type Ticker struct {
	Name     string
	Index    int           // in Market.Tickers
	AsOf     calendar.Date // of the last close
	Close    float64       // as it was quoted
	Features Features
	Series   *Series // nil if made by FromHistory
}

// A Market holds every ticker of a panel at the end of the panel. It is immutable.
type Market struct {
	panel   *Panel
	index   *MarketIndex
	tickers []Ticker
	byName  map[string]int32
}

// ErrShort says that no series of a panel has MinHistory closes.
var ErrShort = fmt.Errorf("no ticker has %d closes", MinHistory)

// New computes the features of every ticker with at least MinHistory closes. It stops early when
// ctx ends.
func New(ctx context.Context, p *Panel) (*Market, error) {
	index, err := NewMarketIndex(ctx, p)
	if err != nil {
		return nil, err
	}
	m := &Market{panel: p, index: index, byName: make(map[string]int32)}
	for i := range p.Series() {
		s := &p.Series()[i]
		if n := s.Len(); n >= MinHistory {
			m.byName[s.Ticker] = int32(len(m.tickers))
			m.tickers = append(m.tickers, Ticker{Name: s.Ticker, Index: len(m.tickers),
				AsOf: s.Dates[n-1], Close: s.Level(n - 1), Series: s})
		}
	}
	// Features take most of the time to start, so all cores work on them.
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(m.tickers) && ctx.Err() == nil; i += workers {
				t := &m.tickers[i]
				index.Walk(t.Series, 0, func(j int) bool { return j == t.Series.Len()-1 },
					func(_ int, x *Features) { t.Features = *x })
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(m.tickers) == 0 {
		return nil, ErrShort
	}
	return m, nil
}

// Find looks a ticker up as sent, then in upper case. It does not allocate for names of up to 32
// bytes.
func (m *Market) Find(sent []byte) (*Ticker, bool) {
	if i, ok := m.byName[string(sent)]; ok {
		return &m.tickers[i], true
	}
	var buf [32]byte
	upper := append(buf[:0], sent...)
	for i, c := range upper {
		if 'a' <= c && c <= 'z' {
			upper[i] = c - 'a' + 'A'
		}
	}
	i, ok := m.byName[string(upper)]
	if !ok {
		return nil, false
	}
	return &m.tickers[i], true
}

// Tickers lists the tickers by name. The caller must not change the list.
func (m *Market) Tickers() []Ticker { return m.tickers }

// AsOf returns the date of the panel's last row.
func (m *Market) AsOf() calendar.Date { return m.panel.AsOf() }

// MarketIndex returns what all tickers say together, day by day.
func (m *Market) MarketIndex() *MarketIndex { return m.index }

// Panel returns what the market was made of.
func (m *Market) Panel() *Panel { return m.panel }

// FromHistory makes a ticker from closes, oldest first, without daily ranges and without a market.
func FromHistory(name string, asOf calendar.Date, closes []float64) (Ticker, error) {
	if len(closes) < MinHistory {
		return Ticker{}, fmt.Errorf("%d closes are too few: need at least %d", len(closes),
			MinHistory)
	}
	st := state{d: newDecays()}
	for i, c := range closes {
		if !isPrice(c) {
			return Ticker{}, fmt.Errorf("close %d is %v: %w", i+1, c, errPrice)
		}
		st.push(0, ohlc{nan, nan, nan, c}) // one date for all rows: no gaps
	}
	t := Ticker{Name: name, AsOf: asOf, Close: closes[len(closes)-1]}
	st.features(&t.Features)
	return t, nil
}
