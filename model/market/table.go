package market

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"tickercast/model/calendar"
)

// table collects the rows of one or more files, in any order, for a panel.
type table struct {
	columns   map[string]*column // by ticker
	truncated []string           // files that end within a line
}

// column holds the rows of one ticker in the order of its file.
type column struct {
	ticker  string
	file    string
	columns byte // that the file has, as in Series.columns
	rows    []row
}

type row struct {
	date   calendar.Date
	line   int32
	prices ohlc
}

func newTable() *table { return &table{columns: make(map[string]*column)} }

// column returns the column of a ticker, and makes it at the first row. All rows of a ticker must
// be in one file.
func (t *table) column(ticker, file string, h *header) (*column, error) {
	if c := t.columns[ticker]; c != nil {
		if c.file != file {
			return nil, fmt.Errorf("ticker %q is also in %s", ticker, c.file)
		}
		return c, nil
	}
	if err := checkTicker(ticker); err != nil {
		return nil, err
	}
	ticker = strings.Clone(ticker) // as part of a line it would keep the line in memory
	c := &column{ticker: ticker, file: file, columns: h.columns()}
	t.columns[ticker] = c
	return c, nil
}

// panel makes a panel of the rows and releases their memory.
func (t *table) panel(ctx context.Context) (*Panel, error) {
	series := make([]Series, 0, len(t.columns))
	// Sorted, so that the first error is always the same one.
	for _, ticker := range slices.Sorted(maps.Keys(t.columns)) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c := t.columns[ticker]
		delete(t.columns, ticker)
		if len(c.rows) == 0 {
			continue // an empty column of a wide file
		}
		if err := c.sort(); err != nil {
			return nil, err
		}
		series = append(series, c.series())
	}
	return newPanel(series, t.truncated), nil
}

// sort orders the rows by date and drops those that repeat a day with the same close.
func (c *column) sort() error {
	slices.SortFunc(c.rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.date, b.date), cmp.Compare(a.line, b.line))
	})
	kept := c.rows[:1]
	for _, r := range c.rows[1:] {
		first := &kept[len(kept)-1]
		switch {
		case r.date != first.date:
			kept = append(kept, r)
		case r.prices.close != first.prices.close:
			return fmt.Errorf("%s:%d: ticker %q on %v closes at %v, but at %v in line %d",
				c.file, r.line, c.ticker, r.date, r.prices.close, first.prices.close, first.line)
		}
	}
	c.rows = kept
	return nil
}

// series copies the rows into columns of their exact length.
func (c *column) series() Series {
	s := newSeries(c.ticker, len(c.rows))
	for i, r := range c.rows {
		s.Dates[i] = r.date
		s.Open[i], s.High[i], s.Low[i], s.Close[i] = r.prices.open, r.prices.high, r.prices.low,
			r.prices.close
	}
	s.keep(c.columns)
	return s
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
