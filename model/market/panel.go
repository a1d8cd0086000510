// Package market holds daily prices of many tickers and what a forecast needs to know of them: a
// Panel of series, read from CSV files or from the embedded snapshot, and the features of each
// ticker at its end.
//
// It is not a database: a panel is read whole, checked whole, and never changes. It does not repair
// prices: splits and bad days are taken as written.
package market

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"tickercast/model/calendar"
)

// Panel is the series of many tickers. It is immutable and safe for concurrent use. Its series must
// not be written to.
type Panel struct {
	series []Series // sorted by ticker, none empty
	from   calendar.Date
	asOf   calendar.Date
	rows   int
	report *Report
	sum    func() string
}

// NewPanel makes a panel of series in any order and keeps their memory. It fails if there are none,
// if two have the same ticker, or if one breaks what Series promises.
func NewPanel(series []Series) (*Panel, error) {
	if len(series) == 0 {
		return nil, errors.New("no series")
	}
	sorted := slices.Clone(series)
	slices.SortFunc(sorted, func(a, b Series) int { return cmp.Compare(a.Ticker, b.Ticker) })
	for i := range sorted {
		s := &sorted[i]
		if err := checkTicker(s.Ticker); err != nil {
			return nil, err
		}
		if i > 0 && s.Ticker == sorted[i-1].Ticker {
			return nil, fmt.Errorf("ticker %q has two series", s.Ticker)
		}
		if err := s.check(); err != nil {
			return nil, err
		}
	}
	return newPanel(sorted, new(Report)), nil
}

// newPanel makes a panel of series that are sorted and sound.
func newPanel(series []Series, report *Report) *Panel {
	p := &Panel{series: series, report: report}
	p.sum = sync.OnceValue(func() string { return sumOf(series) })
	for i := range series {
		s := &series[i]
		first, last := s.Dates[0], s.Dates[s.Len()-1]
		if i == 0 {
			p.from, p.asOf = first, last
		}
		p.from, p.asOf = min(p.from, first), max(p.asOf, last)
		p.rows += s.Len()
	}
	return p
}

// Series returns the series, sorted by ticker.
func (p *Panel) Series() []Series { return p.series }

// From and AsOf return the first and the last date of any series. They are zero for an empty panel.
func (p *Panel) From() calendar.Date { return p.from }
func (p *Panel) AsOf() calendar.Date { return p.asOf }

// Rows returns the number of rows of all series.
func (p *Panel) Rows() int { return p.rows }

// Sum identifies the content: the SHA-256 hash of all series, in hex. It does not depend on the
// files that they were read from. The first call computes it.
func (p *Panel) Sum() string { return p.sum() }

// Report says what reading the panel left out. It must not be changed.
func (p *Panel) Report() *Report { return p.report }

// Truncated lists the files that end within a line, as Report does.
func (p *Panel) Truncated() []string { return p.report.Truncated }

// Lookup returns the series of a ticker, spelled as in the file.
func (p *Panel) Lookup(ticker string) (*Series, bool) {
	i, found := slices.BinarySearchFunc(p.series, ticker, func(s Series, t string) int {
		return strings.Compare(s.Ticker, t)
	})
	if !found {
		return nil, false
	}
	return &p.series[i], true
}

// Until returns the panel as it was known at the end of d: the rows up to and including d, without
// the tickers that have none. It shares memory with p.
func (p *Panel) Until(d calendar.Date) *Panel {
	series := make([]Series, 0, len(p.series))
	for i := range p.series {
		if s := p.series[i].Until(d); s.Len() > 0 {
			series = append(series, s)
		}
	}
	return newPanel(series, p.report)
}

// TradingDays lists the days on which any ticker has a row.
func (p *Panel) TradingDays() (days []calendar.Date) {
	seen := make([]bool, p.asOf-p.from+1)
	for i := range p.series {
		for _, d := range p.series[i].Dates {
			seen[d-p.from] = true
		}
	}
	for i, yes := range seen {
		if yes {
			days = append(days, p.from+calendar.Date(i))
		}
	}
	return days
}

// maxTicker is the length in bytes of the longest ticker: generous for a symbol with the suffix of
// its exchange, too short for a sentence.
const maxTicker = 64

func checkTicker(s string) error {
	switch {
	case s == "":
		return errors.New("empty ticker")
	case len(s) > maxTicker:
		return fmt.Errorf("ticker %.*q is longer than %d bytes", maxTicker, s, maxTicker)
	case !utf8.ValidString(s):
		return fmt.Errorf("ticker %q is not UTF-8", s)
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("ticker %q has a character that cannot be printed", s)
	}
	return nil
}
