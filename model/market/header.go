package market

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// layout says where the columns of a CSV are. The index of an absent column is -1.
type layout struct {
	width               int // fields of a row
	date, clock, series int
	ticker              int     // of the long form
	groups              []group // one in the long form, else one per ticker
	wide                bool    // each group is the closes of a ticker
	header              []string
}

// group is the columns of one ticker.
type group struct {
	ticker          string // empty if a column of the layout has it
	open, high, low int
	close, adjusted int
	closeName       string // for messages
	columns         byte   // that are present beside the close
}

// Bits of group.columns. The first three are those of Series.columns.
const (
	hasOpen byte = 1 << iota
	hasHigh
	hasLow
	hasAdjusted
)

// settle fills in what follows from the columns.
func (g *group) settle() {
	g.closeName = "close"
	if g.close < 0 {
		// Without a close, the adjustment of the range is unknown.
		g.close, g.adjusted, g.closeName = g.adjusted, -1, "adj_close"
		g.open, g.high, g.low = -1, -1, -1
	}
	g.columns = 0
	for i, at := range [...]int{g.open, g.high, g.low, g.adjusted} {
		if at >= 0 {
			g.columns |= 1 << i
		}
	}
}

// put sets the column of a field, and reports whether it had none.
func (g *group) put(f field, at int) bool {
	column := map[field]*int{fieldOpen: &g.open, fieldHigh: &g.high, fieldLow: &g.low,
		fieldClose: &g.close, fieldAdjusted: &g.adjusted}[f]
	if column == nil {
		return true
	}
	if *column >= 0 {
		return false
	}
	*column = at
	return true
}

func emptyGroup(ticker string) group { return group{ticker, -1, -1, -1, -1, -1, "", 0} }

// parseHeader finds the form of a file by its first rows, and how many of them are header. All rows
// of a file in a folder are of the ticker that is its name, unless a column says otherwise.
func parseHeader(rows [][]string, ticker string, inFolder bool) (l *layout, n int, err error) {
	first := rows[0]
	l = &layout{width: len(first), date: -1, clock: -1, series: -1, ticker: -1, header: first}
	if n := l.levels(rows); n > 0 {
		return l, n, l.quoted(l.finish())
	}
	if text := strings.Join(first, ","); strings.HasPrefix(strings.ToLower(text), "sep=") {
		return nil, 0, fmt.Errorf("%q is a line for spreadsheets, not the header: remove it", text)
	}
	return l, 1, l.quoted(l.single(ticker, inFolder))
}

// quoted appends the header to an error.
func (l *layout) quoted(err error) error {
	if err != nil {
		return fmt.Errorf("%w: %.200q", err, strings.Join(l.header, ","))
	}
	return nil
}

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
	return slices.ContainsFunc(names[:], func(n struct {
		field field
		names string
	}) bool {
		return n.field == fieldDate && name != "" && hasWord(n.names, name)
	})
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

// lookup returns the column of a field. A name of one letter counts only in a header that has all
// of t, o, h, l and c, and "last" only beside other columns of a price: both are tickers too.
func lookup(f field, normal []string, letters, last bool) (int, error) {
	for _, n := range names {
		if n.field != f {
			continue
		}
		for name := range strings.FieldsSeq(n.names) {
			if len(name) == 1 && !letters || name == "last" && !last {
				continue
			}
			if i := slices.Index(normal, name); i >= 0 {
				if slices.Contains(normal[i+1:], name) {
					return i, errTwice
				}
				return i, nil
			}
		}
	}
	return -1, nil
}

var errTwice = errors.New("twice")

// single reads a header of one row.
func (l *layout) single(ticker string, inFolder bool) (err error) {
	header := l.header
	normal := make([]string, len(header))
	for i, name := range header {
		normal[i] = normalName(name)
	}
	letters := true
	for _, c := range []string{"t", "o", "h", "l", "c"} {
		letters = letters && slices.Contains(normal, c)
	}
	last := false
	find := func(f field) int {
		i, twice := lookup(f, normal, letters, last)
		if twice != nil && err == nil {
			err = fmt.Errorf("header has two columns %q", header[i])
		}
		return i
	}
	g := emptyGroup("")
	l.date, l.ticker = find(fieldDate), find(fieldTicker)
	if l.date < 0 && isIndex(header[0]) && len(header) > 1 {
		l.date = 0 // pandas writes an index of dates without a name
	}
	if l.clock = find(fieldClock); l.clock == l.date {
		l.clock = -1
	}
	g.open, g.high, g.low = find(fieldOpen), find(fieldHigh), find(fieldLow)
	volume := find(fieldVolume)
	last = g.open >= 0 || g.high >= 0 || g.low >= 0 || volume >= 0
	g.close, g.adjusted = find(fieldClose), find(fieldAdjusted)
	hasClose := g.close >= 0 || g.adjusted >= 0
	if !hasClose && l.ticker < 0 && l.date >= 0 && err == nil {
		if done, err := l.pairs(); done || err != nil {
			return err
		}
	}
	noClose := !hasClose && g.high >= 0 && g.low >= 0
	isLong := inFolder || l.ticker >= 0 || hasClose || volume >= 0 || noClose
	switch {
	case err != nil:
		return err
	case !isLong && l.date > 0 && isIndex(header[0]):
		return errors.New("header begins with a column without a name, an index: remove it")
	case !isLong && l.date == 0:
		return l.wideGroups()
	}
	var missing []string
	if l.date < 0 {
		missing = append(missing, "no column date")
	}
	switch known := l.ticker >= 0 || last || inFolder; {
	case noClose:
		missing = append(missing, "open, high, low but no close")
	case !hasClose && (l.date >= 0 || known):
		missing = append(missing, "no column close or adj_close")
	}
	if missing != nil {
		return fmt.Errorf("header has %s", strings.Join(missing, " and "))
	}
	if l.series = find(fieldSeries); err != nil {
		return err
	}
	if l.ticker < 0 {
		g.ticker = ticker
		if err := checkTicker(ticker); err != nil {
			return fmt.Errorf("header has no column ticker, and the name of the file is none: %w",
				err)
		}
	}
	g.settle()
	if name := normal[g.close]; name == "prc" || name == "dlyprc" {
		g.closeName = nameCRSP
	}
	l.groups = []group{g}
	return nil
}

// isIndex reports whether pandas wrote the name, for a column that has none.
func isIndex(name string) bool {
	return name == "" || strings.HasPrefix(strings.ToLower(name), "unnamed:")
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
			return false, l.twice(name)
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

func (l *layout) twice(name string) error { return fmt.Errorf("header has two columns %q", name) }

// wideGroups takes all columns but the first as the closes of tickers.
func (l *layout) wideGroups() error {
	tickers := l.header[1:]
	if len(tickers) == 0 {
		return errors.New("header has no ticker")
	}
	l.wide, l.clock = true, -1
	seen := make(map[string]bool, len(tickers))
	for i, name := range tickers {
		if err := checkTicker(name); err != nil {
			return fmt.Errorf("header column %d: %w", i+2, err)
		}
		if seen[name] {
			return l.twice(name)
		}
		seen[name] = true
		g := emptyGroup(name)
		g.close = i + 1
		g.settle()
		g.closeName = fmt.Sprintf("%q", name)
		l.groups = append(l.groups, g)
	}
	return nil
}

func allEmpty[S string | []byte](fields []S) bool {
	for _, f := range fields {
		if len(f) != 0 {
			return false
		}
	}
	return true
}
