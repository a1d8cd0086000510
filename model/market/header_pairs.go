package market

import (
	"errors"
	"fmt"
	"slices"
)

// levels reads the header that pandas writes for columns of two levels: a row of fields, a row of
// tickers, and a row with the name of the dates. It returns 0 if there is none.
func (l *layout) levels(rows [][]string) int {
	if len(rows) < 2 || len(rows[0]) != len(rows[1]) || len(rows[0]) < 2 {
		return 0
	}
	n := 2
	if len(rows) > 2 && len(rows[2]) > 1 && isDateName(rows[2][0]) && allEmpty(rows[2][1:]) {
		n = 3
	} else if f := normalName(rows[1][0]); f != "ticker" && f != "price" {
		return 0
	}
	fields, tickers := rows[0], rows[1]
	if !slices.ContainsFunc(fields[1:], isClose) {
		fields, tickers = tickers, fields
	}
	if !slices.ContainsFunc(fields[1:], isClose) {
		return 0
	}
	l.date = 0
	at := make(map[string]int)
	for i := 1; i < len(fields); i++ {
		if f := priceField(fields[i]); f != fieldNone {
			l.group(at, tickers[i]).put(f, i)
		}
	}
	return n
}

func isClose(name string) bool {
	f := priceField(name)
	return f == fieldClose || f == fieldAdjusted
}

func isDateName(name string) bool {
	name = normalName(name)
	for _, n := range names {
		if n.field == fieldDate && name != "" && hasWord(n.names, name) {
			return true
		}
	}
	return false
}

// group returns the group of a ticker, and makes it if there is none.
func (l *layout) group(at map[string]int, ticker string) *group {
	i, ok := at[ticker]
	if !ok {
		i = len(l.groups)
		at[ticker] = i
		l.groups = append(l.groups, emptyGroup(ticker))
	}
	return &l.groups[i]
}

// finish checks the groups of tickers that are named by the header.
func (l *layout) finish() error {
	for i := range l.groups {
		g := &l.groups[i]
		if err := checkTicker(g.ticker); err != nil {
			return err
		}
		if g.close < 0 && g.adjusted < 0 {
			return fmt.Errorf("header has no close of %q", g.ticker)
		}
		g.settle()
	}
	return nil
}

// pairs reads a header of names like ACME.Close. It does nothing if there is none.
func (l *layout) pairs() (done bool, err error) {
	at := make(map[string]int)
	var other []string // of no ticker
	var has [fieldVolume + 1]bool
	for i, name := range l.header {
		if i == l.date || isIndex(name) {
			continue
		}
		ticker, f := tickerField(name)
		if f == fieldNone {
			other = append(other, name)
			continue
		}
		has[f] = true
		if !l.group(at, ticker).put(f, i) {
			return false, errTwice(name)
		}
	}
	closes := has[fieldClose] || has[fieldAdjusted]
	switch {
	case closes && (other == nil || has[fieldVolume] || has[fieldHigh] || has[fieldLow]):
		// Columns of a ticker without a close, as "Open Interest", are other columns.
		l.groups = slices.DeleteFunc(l.groups, func(g group) bool {
			return g.close < 0 && g.adjusted < 0
		})
		return true, l.finish()
	case !closes && has[fieldHigh] && has[fieldLow]:
		return false, errors.New("header has open, high, low but no close")
	case !closes && has[fieldVolume]:
		return false, errors.New("header has a volume but no column close or adj_close")
	}
	l.groups = nil
	return false, nil
}
