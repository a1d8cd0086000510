package market

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// header says where the columns of a CSV are. A column that is absent is -1.
type header struct {
	date, ticker    int
	open, high, low int
	close           int
	adjusted        int      // if present, it takes the place of close
	wide            []string // the tickers of the columns after date; nil if long
}

// parseHeader finds the form of a file by its first row. A file that has a ticker from elsewhere is
// long, and needs no column of them.
func parseHeader(names []string, hasTicker bool) (h header, err error) {
	folded := make([]string, len(names))
	for i, name := range names {
		folded[i] = fold.Replace(strings.ToLower(name))
	}
	// find returns the column of the first of these names that there is.
	find := func(aliases ...string) int {
		for _, alias := range aliases {
			i := slices.Index(folded, alias)
			if i < 0 {
				continue
			}
			if slices.Contains(folded[i+1:], alias) {
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
		h.open, h.high, h.low = -1, -1, -1 // there is no telling their scale
	}
	return h, nil
}

// fold makes "adj close" and "adj_close" the same.
var fold = strings.NewReplacer(" ", "", "_", "")

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
