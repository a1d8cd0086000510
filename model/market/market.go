package market

import (
	"fmt"
	"runtime"
	"sync"

	"tickercast/model/calendar"
)

// A Ticker is one series as a forecaster needs it: its last close and its features.
type Ticker struct {
	Name     string
	Index    int           // in Market.Tickers
	AsOf     calendar.Date // of the last close
	Close    float64
	Features Features
	Series   *Series // nil for a series of a request
}

// A Market holds every ticker of a panel at the end of the panel. It is immutable.
type Market struct {
	panel   *Panel
	tape    *Tape
	tickers []Ticker
	index   map[string]int32
}

// ErrShort says that no series of a panel has MinHistory closes.
var ErrShort = fmt.Errorf("no ticker has %d closes", MinHistory)

// New computes the features of every ticker from the panel alone: nothing that is later than its
// last row can enter. Tickers with less than MinHistory closes are left out.
func New(p *Panel) (*Market, error) {
	tape := NewTape(p)
	m := &Market{panel: p, tape: tape, index: make(map[string]int32)}
	for i := range p.Series() {
		s := &p.Series()[i]
		if n := s.Len(); n >= MinHistory {
			m.index[s.Ticker] = int32(len(m.tickers))
			m.tickers = append(m.tickers, Ticker{
				Name: s.Ticker, Index: len(m.tickers), AsOf: s.Dates[n-1], Close: s.Close[n-1],
				Series: s,
			})
		}
	}
	// Tickers do not depend on each other, and are most of the time to start.
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(m.tickers); i += workers {
				t := &m.tickers[i]
				st := state{d: tape.d}
				for j := range t.Series.Len() {
					st.push(t.Series.Dates[j], t.Series.bar(j))
				}
				st.features(&t.Features)
				tape.fill(t.AsOf, &t.Features)
			}
		})
	}
	wg.Wait()
	if len(m.tickers) == 0 {
		return nil, ErrShort
	}
	return m, nil
}

// Find looks a ticker up as sent, then in upper case. It does not allocate for names of up to 32
// bytes.
func (m *Market) Find(sent []byte) (*Ticker, bool) {
	if i, ok := m.index[string(sent)]; ok {
		return &m.tickers[i], true
	}
	var buf [32]byte
	upper := append(buf[:0], sent...)
	for i, c := range upper {
		if 'a' <= c && c <= 'z' {
			upper[i] = c - 'a' + 'A'
		}
	}
	i, ok := m.index[string(upper)]
	if !ok {
		return nil, false
	}
	return &m.tickers[i], true
}

// Tickers lists them by name. The caller must not change it.
func (m *Market) Tickers() []Ticker { return m.tickers }

// AsOf is the date of the panel's last row.
func (m *Market) AsOf() calendar.Date { return m.panel.AsOf() }

// Tape is what all tickers tell together, day by day.
func (m *Market) Tape() *Tape { return m.tape }

// Panel is what the market was made of.
func (m *Market) Panel() *Panel { return m.panel }

// FromHistory makes a ticker of closes alone, oldest first: no ranges, no market.
func FromHistory(name string, asOf calendar.Date, closes []float64) (Ticker, error) {
	if len(closes) < MinHistory {
		return Ticker{}, fmt.Errorf("%d closes are too few: need at least %d", len(closes),
			MinHistory)
	}
	st := state{d: newDecay()}
	for i, c := range closes {
		if !isPrice(c) {
			return Ticker{}, fmt.Errorf("close %d is %v: %w", i+1, c, errPrice)
		}
		st.push(0, bar{nan, nan, nan, c}) // one date for all: no gaps
	}
	t := Ticker{Name: name, AsOf: asOf, Close: closes[len(closes)-1]}
	st.features(&t.Features)
	return t, nil
}
