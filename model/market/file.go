package market

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"tickercast/model/calendar"
)

// file is a CSV that is being read.
type file struct {
	name     string
	ticker   string // by its name
	inFolder bool
	skipBad  bool
	latest   calendar.Date // that is not in the future
	stopped  atomic.Bool   // the rest need not be read

	// The first rows show these.
	layout    *layout
	separator byte
	decimals  decimals
	form      dateForm
	timed     bool // dates have a time
	firstDate mark

	// All chunks together show these.
	columns              map[string]*column
	rows                 int
	bytes                int64 // that they take
	missing, otherSeries int
	badRows              int
	fault                *Fault // the first
	refused              bool
	truncated            bool
	dayFirst, monthFirst mark
}

func (f *file) hasSeries() bool { return f.layout.series >= 0 }

// fail notes a fault. If it is about a row, SkipBad leaves the row out, else the file.
func (f *file) fail(line int, err error, row bool) {
	fault := &Fault{File: f.name, Line: line, Message: err.Error(), cause: err}
	if row {
		f.badRows++
	}
	if f.fault == nil || (!row || line < f.fault.Line) && !f.refused {
		f.fault = fault
	}
	f.refused = f.refused || !row
}

func (f *file) intraday(ticker string, k rowKey) {
	f.fail(int(k.line), fmt.Errorf("ticker %q has a second time on %v: intraday prices (want one "+
		"row a day)", ticker, k.when.date()), false)
}

func (f *file) conflict(ticker string, k rowKey, close float64, first rowKey, before float64) {
	err := fmt.Errorf("ticker %q on %v closes at %v, but at %v in line %d", ticker, k.when.date(),
		close, before, first.line)
	if l := f.layout; l.ticker < 0 && !l.wide && !f.inFolder && ticker == f.ticker {
		err = fmt.Errorf("%w (is a column with tickers missing?)", err)
	}
	f.fail(int(k.line), err, true)
}

// start reads the header and what the first rows show. It returns where the other rows begin.
func (f *file) start(head []byte, final bool) (pos, line int, err error) {
	f.separator = separatorOf(head)
	s := splitter{separator: f.separator}
	type place struct{ line, after, end int }
	var places []place // of rows
	var rows [][]string
	for line = 1; len(rows) < maxPreamble && pos < len(head); {
		n, lines, err := s.next(head[pos:], final)
		if len(rows) == 0 && (err == errCut || n > maxRow) {
			err = errRow
		}
		if err != nil {
			if len(rows) == 0 {
				return 0, line, err
			}
			break
		}
		pos, line = pos+n, line+lines
		if len(s.fields) > 0 {
			rows = append(rows, stringsOf(s.fields))
			places = append(places, place{line - lines, line, pos})
		}
	}
	if len(rows) == 0 {
		return 0, 0, errEmpty
	}
	layout, n, err := parseHeader(rows, f.ticker, f.inFolder)
	if err != nil {
		for i := 1; i < len(rows); i++ {
			if _, _, bad := parseHeader(rows[i:], f.ticker, f.inFolder); bad == nil {
				err = fmt.Errorf("%w (line %d looks like the header: remove what is above it)", err,
					places[i].line)
				break
			}
		}
		if c := wrongSeparator(rows[0]); c != 0 {
			err = fmt.Errorf("%w (fields are separated by commas, semicolons or tabs, not by %q)",
				err, c)
		}
		return 0, places[0].line, err
	}
	f.layout = layout
	header := places[n-1]
	f.look(head[header.end:], header.after, final)
	return header.end, header.after, nil
}

// maxPreamble is the number of rows in which a header is looked for.
const maxPreamble = 30

var errEmpty = errors.New("empty file")

func stringsOf(fields [][]byte) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = string(f)
	}
	return out
}

// separatorOf returns what separates fields: the most frequent candidate in the first line.
func separatorOf(head []byte) byte {
	line, _, _ := bytes.Cut(bytes.TrimLeft(head, "\r\n"), []byte("\n"))
	var counts [128]int
	quoted := false
	for _, c := range line {
		if c == '"' {
			quoted = !quoted
		} else if !quoted && c < 128 {
			counts[c]++
		}
	}
	best := byte(',')
	for _, c := range []byte{';', '\t'} {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return best
}

// wrongSeparator returns what separates the fields of a header that is one field to a reader of
// CSV, or 0.
func wrongSeparator(header []string) rune {
	if len(header) > 1 {
		return 0
	}
	for _, c := range "|:^~ " {
		words := strings.Split(strings.ToLower(header[0]), string(c))
		for i, w := range words {
			words[i] = strings.Trim(w, ` "`)
		}
		if len(words) > 1 && (slices.Contains(words, "date") || slices.Contains(words, "timestamp")) {
			return c
		}
	}
	return 0
}

// look reads the form of the dates and of the numbers off the first rows.
func (f *file) look(head []byte, line int, final bool) {
	s := splitter{separator: f.separator}
	if f.separator != ',' {
		f.decimals = eitherOf
	}
	var commas, points bool
	for f.form == formNone || f.decimals != pointOnly {
		n, lines, err := s.next(head, final)
		if err == errCut || n == 0 {
			break
		}
		head, line = head[n:], line+lines
		if f.form == formNone && err == nil && len(s.fields) == f.layout.width+1 &&
			len(s.fields[f.layout.width]) == 0 {
			f.layout.openEnd = true
		}
		if err != nil || len(s.fields) < f.layout.width {
			continue
		}
		if st, err := readDate(s.fields[f.layout.date]); err == nil && f.form == formNone {
			f.form, f.timed = st.form, st.timed
			f.firstDate = mark{line - lines, string(s.fields[f.layout.date])}
		}
		for _, g := range f.layout.groups {
			for _, at := range [...]int{g.open, g.high, g.low, g.close, g.adjusted} {
				if at >= 0 && f.decimals != pointOnly {
					mark := decimalMark(string(s.fields[at]))
					commas, points = commas || mark == commaMark, points || mark == pointMark
				}
			}
		}
	}
	if f.form == formNone {
		f.form = formYear
	}
	switch {
	case f.decimals == pointOnly || commas == points:
	case commas:
		f.decimals = commaMark
	default:
		f.decimals = pointMark
	}
}

// merge adds the rows of a chunk, in the order of the file.
func (f *file) merge(c *chunk) (bytes int64) {
	f.missing += c.missing
	if f.dayFirst.line == 0 {
		f.dayFirst = c.dayFirst
	}
	if f.monthFirst.line == 0 {
		f.monthFirst = c.monthFirst
	}
	f.badRows += c.badRows
	if c.fault != nil && f.fault == nil || c.refused {
		f.fault = cmp.Or(f.fault, c.fault)
		f.refused = c.refused
	}
	for _, p := range c.touched {
		col := f.columns[p.ticker]
		if col == nil {
			col = &column{ticker: p.ticker, file: f.name, byName: f.layout.ticker < 0 &&
				len(f.layout.groups) == 1 && p.ticker == f.ticker, columns: p.group.columns}
			f.columns[p.ticker] = col
		} else {
			bytes -= col.size()
		}
		f.rows += len(p.rows.keys)
		col.add(f, &p.rows)
		bytes += col.size()
	}
	return bytes
}

// finish checks what only the whole file shows.
func (f *file) finish() {
	if f.rows == 0 {
		f.fail(0, errors.New("no prices below the header"), false)
		return
	}
	if f.form == formParts && !f.orderDates() {
		return
	}
	for _, ticker := range slices.Sorted(maps.Keys(f.columns)) {
		f.columns[ticker].tidy(f)
	}
	maps.DeleteFunc(f.columns, func(_ string, c *column) bool { return c.rows == 0 })
	if len(f.columns) == 0 {
		f.refused = true // all rows are left out
	}
}

// orderDates decides whether the day or the month comes first, and brings all dates into that
// order.
func (f *file) orderDates() bool {
	switch day, month := f.dayFirst, f.monthFirst; {
	case day.line > 0 && month.line > 0:
		first, second, order := day, month, [2]string{"month", "day"}
		if month.line < day.line {
			first, second, order = month, day, [2]string{"day", "month"}
		}
		f.fail(second.line, fmt.Errorf("date %.80q has the %s first, but line %d has the %s first",
			second.text, order[0], first.line, order[1]), false)
		return false
	case day.line == 0 && month.line == 0:
		f.fail(f.firstDate.line, fmt.Errorf("date %.80q may have the day or the month first, and "+
			"no date with a day after the 12th shows which (want YYYY-MM-DD)", f.firstDate.text),
			false)
		return false
	}
	for _, c := range f.columns {
		c.filter(func(k *rowKey) bool {
			if f.dayFirst.line > 0 {
				k.when = whenOf(swapped(k.when.date()), k.when.sub())
				c.unsorted = true
			}
			if k.when.date() > f.latest {
				f.fail(int(k.line), fmt.Errorf("date %v is %w", k.when.date(), errFuture), true)
				return false
			}
			return true
		})
	}
	return true
}
