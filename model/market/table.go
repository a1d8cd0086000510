package market

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"tickercast/model/calendar"
)

// table collects the rows of one or more files, in any order, until they are
// made into a panel.
type table struct {
	index   map[string]int // ticker to column
	columns []*column
}

// column is the rows of one ticker in the order of the file.
type column struct {
	ticker string
	file   string
	has    fieldSet
	rows   []row
}

type row struct {
	date   calendar.Date
	line   int32
	prices prices
}

type prices struct{ open, high, low, close float64 }

type fieldSet struct{ open, high, low bool }

func newTable() *table {
	return &table{index: make(map[string]int)}
}

// column returns the column of a ticker that the file has named, and makes it
// at the first time.
func (t *table) column(ticker, file string, has fieldSet) (*column, error) {
	if i, ok := t.index[ticker]; ok {
		c := t.columns[i]
		if c.file != file {
			return nil, fmt.Errorf("ticker %q is also in %s", ticker, c.file)
		}
		return c, nil
	}
	if err := checkTicker(ticker); err != nil {
		return nil, err
	}
	// The string is part of a line: it must not keep the line alive.
	c := &column{ticker: strings.Clone(ticker), file: file, has: has}
	t.index[c.ticker] = len(t.columns)
	t.columns = append(t.columns, c)
	return c, nil
}

// maxTicker is the length in bytes of the longest ticker. Exchange suffixes
// make them longer than an exchange does; a text of more is a shifted column.
const maxTicker = 64

func checkTicker(s string) error {
	switch {
	case s == "":
		return fmt.Errorf("empty ticker")
	case len(s) > maxTicker:
		return fmt.Errorf("ticker %q is longer than %d bytes", s, maxTicker)
	case !utf8.ValidString(s):
		return fmt.Errorf("ticker %q is not UTF-8", s)
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("ticker %q has a character that cannot be printed", s)
	}
	return nil
}

// sortRows puts the rows in the order of their dates and drops those that say
// a close twice.
func (c *column) sortRows() error {
	byDate := func(a, b row) int { return int(a.date) - int(b.date) }
	if !slices.IsSortedFunc(c.rows, byDate) {
		slices.SortStableFunc(c.rows, byDate)
	}
	kept := c.rows[:0]
	for i, r := range c.rows {
		if i > 0 && r.date == kept[len(kept)-1].date {
			first := kept[len(kept)-1]
			if first.prices.close != r.prices.close {
				return fmt.Errorf("%s:%d: ticker %q has the close %v on %v, but %v on line %d",
					c.file, r.line, c.ticker, r.prices.close, r.date, first.prices.close, first.line)
			}
			continue
		}
		kept = append(kept, r)
	}
	c.rows = kept
	return nil
}

// series moves the rows into columns of their exact length.
func (c *column) series() Series {
	n := len(c.rows)
	s := Series{Ticker: c.ticker, Dates: make([]calendar.Date, n), Close: make([]float64, n)}
	for i, r := range c.rows {
		s.Dates[i], s.Close[i] = r.date, r.prices.close
	}
	pick := func(has bool, get func(*prices) float64) []float64 {
		if !has {
			return nil
		}
		v := make([]float64, n)
		for i := range c.rows {
			v[i] = get(&c.rows[i].prices)
		}
		return v
	}
	s.Open = pick(c.has.open, func(p *prices) float64 { return p.open })
	s.High = pick(c.has.high, func(p *prices) float64 { return p.high })
	s.Low = pick(c.has.low, func(p *prices) float64 { return p.low })
	c.rows = nil
	return s
}

func (t *table) panel() *Panel {
	series := make([]Series, 0, len(t.columns))
	for _, c := range t.columns {
		if len(c.rows) > 0 {
			series = append(series, c.series())
		}
	}
	slices.SortFunc(series, func(a, b Series) int { return strings.Compare(a.Ticker, b.Ticker) })
	return newPanel(series)
}

var nan = math.NaN()
