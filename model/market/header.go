package market

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// header says where the columns of a CSV are. The index of an absent column is -1.
type header struct {
	date, ticker    int
	open, high, low int
	close           int
	adjusted        int      // replaces close if present
	wide            []string // the tickers of the columns after date; nil if long
}

// parseHeader finds the form of a file. A file whose ticker is known from elsewhere is long and
// needs no ticker column.
func parseHeader(names []string, hasTicker bool) (h header, err error) {
	normal := make([]string, len(names))
	for i, name := range names {
		normal[i] = normalizeHeader.Replace(strings.ToLower(name))
	}
	// find returns the column of the first alias that is present.
	find := func(aliases ...string) int {
		for _, alias := range aliases {
			i := slices.Index(normal, alias)
			if i < 0 {
				continue
			}
			if slices.Contains(normal[i+1:], alias) {
				err = fmt.Errorf("header has two columns %q", names[i])
			}
			return i
		}
		return -1
	}
	h = header{
		date:     find("date"),
		ticker:   find("ticker", "symbol", "name"),
		open:     find("open"),
		high:     find("high"),
		low:      find("low"),
		close:    find("close"),
		adjusted: find("adjclose", "adjustedclose"),
	}
	isLong := hasTicker || h.ticker >= 0 || h.close >= 0 || h.adjusted >= 0 || find("volume") >= 0
	switch {
	case err != nil:
	case h.date < 0:
		err = errors.New("header has no column date")
	case !isLong && h.date == 0:
		h.wide, err = wideTickers(names[1:])
	case h.ticker < 0 && !hasTicker:
		err = errors.New("header has no column ticker, symbol or name (a file of one ticker " +
			"goes into a folder, named TICKER.csv)")
	case h.close < 0 && h.adjusted < 0:
		err = errors.New("header has no column close or adj_close")
	}
	if err != nil {
		return h, fmt.Errorf("%w: %.200q", err, strings.Join(names, ","))
	}
	if h.close < 0 {
		h.open, h.high, h.low = -1, -1, -1 // without a close, their adjustment is unknown
	}
	return h, nil
}

// columns returns the bits of the columns that are present, as in Series.columns.
func (h *header) columns() (columns byte) {
	for i, at := range [3]int{h.open, h.high, h.low} {
		if at >= 0 {
			columns |= 1 << i
		}
	}
	return columns
}

// normalizeHeader makes "adj close" and "adj_close" the same.
var normalizeHeader = strings.NewReplacer(" ", "", "_", "")

func wideTickers(names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, errors.New("header has no ticker")
	}
	seen := make(map[string]bool, len(names))
	for i, name := range names {
		if err := checkTicker(name); err != nil {
			return nil, fmt.Errorf("header column %d: %w", i+2, err)
		}
		if seen[name] {
			return nil, fmt.Errorf("header has two columns %q", name)
		}
		seen[name] = true
	}
	return slices.Clone(names), nil
}

// prices reads the prices of a row in the long form.
func (h *header) prices(record []string) (p ohlc, err error) {
	field := func(name string, i int, optional bool) float64 {
		if i < 0 || err != nil || optional && record[i] == "" {
			return nan
		}
		v, fault := parsePrice(record[i])
		if fault != nil {
			err = fmt.Errorf("%s %.80q is %w", name, record[i], fault)
		}
		return v
	}
	p = ohlc{
		open:  field("open", h.open, true),
		high:  field("high", h.high, true),
		low:   field("low", h.low, true),
		close: field("close", h.close, false),
	}
	adjusted := field("adj_close", h.adjusted, false)
	if !p.consistent() {
		p.open, p.high, p.low = nan, nan, nan
	}
	if h.adjusted >= 0 {
		p = p.adjusted(adjusted)
	}
	return p, err
}
