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
	openEnd             bool    // rows end with a separator, but the header does not
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

// finder finds the columns of a header by their names.
type finder struct {
	header, normal []string
	weak           bool // weak names count
	letters        bool // so do those of one letter: all of t, o, h, l and c are there
	err            error
}

func newFinder(header []string) *finder {
	f := &finder{header: header, letters: true}
	for _, name := range header {
		f.normal = append(f.normal, normalName(name))
	}
	for _, c := range []string{"t", "o", "h", "l", "c"} {
		f.letters = f.letters && slices.Contains(f.normal, c)
	}
	f.weak = f.letters || f.find(fieldClose) >= 0 || f.find(fieldAdjusted) >= 0 ||
		f.find(fieldVolume) >= 0 || f.find(fieldHigh) >= 0 && f.find(fieldLow) >= 0
	return f
}

// find returns the column of a field, or -1.
func (f *finder) find(want field) int {
	for _, n := range names {
		if n.field != want || n.weak && !f.weak {
			continue
		}
		for name := range strings.FieldsSeq(n.names) {
			i := slices.Index(f.normal, name)
			if i < 0 || len(name) == 1 && !f.letters {
				continue
			}
			if slices.Contains(f.normal[i+1:], name) && f.err == nil {
				f.err = errTwice(f.header[i])
			}
			return i
		}
	}
	return -1
}

func errTwice(name string) error { return fmt.Errorf("header has two columns %q", name) }

// find finds the columns of the layout and those of the long form.
func (l *layout) find(f *finder) (g group, hasVolume bool) {
	g = emptyGroup("")
	l.date, l.ticker, l.series = f.find(fieldDate), f.find(fieldTicker), f.find(fieldSeries)
	if l.date < 0 && len(l.header) > 1 && isIndex(l.header[0]) {
		l.date = 0 // pandas writes an index of dates without a name
	}
	if l.clock = f.find(fieldClock); l.clock == l.date {
		l.clock = -1
	}
	g.open, g.high, g.low = f.find(fieldOpen), f.find(fieldHigh), f.find(fieldLow)
	hasVolume = f.find(fieldVolume) >= 0
	g.close, g.adjusted = f.find(fieldClose), f.find(fieldAdjusted)
	return g, hasVolume
}

// single reads a header of one row.
func (l *layout) single(ticker string, inFolder bool) error {
	f := newFinder(l.header)
	g, hasVolume := l.find(f)
	if f.err != nil {
		return f.err
	}
	unnamed := len(l.header) > 1 && isIndex(l.header[0])
	hasClose := g.close >= 0 || g.adjusted >= 0
	if !hasClose && l.ticker < 0 && l.date >= 0 {
		if done, err := l.pairs(); done || err != nil {
			return err
		}
	}
	noClose := !hasClose && g.high >= 0 && g.low >= 0
	if !inFolder && l.ticker < 0 && !hasClose && !hasVolume && !noClose {
		switch {
		case l.date == 0:
			return l.wideGroups()
		case l.date > 0 && unnamed:
			return errors.New("header begins with a column without a name, an index: remove it")
		}
	}
	var missing []string
	if l.date < 0 {
		missing = append(missing, "no column date")
	}
	known := l.date >= 0 || l.ticker >= 0 || g.open >= 0 || inFolder || f.weak
	if noClose {
		missing = append(missing, "open, high, low but no close")
	} else if !hasClose && known {
		missing = append(missing, "no column close or adj_close")
	}
	if missing != nil {
		return fmt.Errorf("header has %s", strings.Join(missing, " and "))
	}
	return l.long(g, f.normal, ticker)
}

// long completes the layout of the long form.
func (l *layout) long(g group, normal []string, ticker string) error {
	if l.ticker < 0 {
		if err := checkTicker(ticker); err != nil {
			return fmt.Errorf("header has no column ticker, and the name of the file is none: %w",
				err)
		}
		g.ticker = ticker
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
			return errTwice(name)
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
