package market

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
)

// chunk is whole rows of a file and what they say. A worker parses it without the other chunks of
// the file; the results are put together in order.
type chunk struct {
	file *file
	text []byte
	line int           // of the first row
	end  bool          // the file ends: there is no text, and err says why if it is not whole
	err  error         // at line
	done chan struct{} // gets a value when it is parsed

	parts   map[string]*part // of the long form, by ticker
	groups  []*part          // of other forms
	last    *part            // that got a row
	touched []*part          // that have rows
	spare   []rowSet         // memory of earlier parts
	missing int
	badRows int
	fault   *Fault // the first; only with SkipBad, rows after it are read
	refused bool   // the fault is one of the whole file
	// The first rows whose dates show what comes first, the day or the month.
	dayFirst, monthFirst mark

	rows  splitter
	text0 []byte // of the last date
	date0 stamp
	price [6]float64
}

// mark is where something was seen.
type mark struct {
	line int
	text string
}

// part is the rows of a ticker in a chunk.
type part struct {
	ticker string
	group  *group
	rows   rowSet
}

// use prepares a chunk for rows of f. Its memory is used again.
func (c *chunk) use(f *file) {
	for _, p := range c.touched {
		p.rows.keys, p.rows.prices = p.rows.keys[:0], p.rows.prices[:0]
		if c.file != f || c.groups == nil {
			c.spare = append(c.spare, p.rows)
		}
	}
	c.last, c.text0 = nil, nil
	clear(c.parts)
	if c.file != f {
		c.groups = nil
	}
	c.file, c.text, c.end, c.err = f, c.text[:0], false, nil
	c.touched, c.missing, c.badRows, c.fault = c.touched[:0], 0, 0, nil
	c.refused, c.dayFirst, c.monthFirst = false, mark{}, mark{}
}

// parse reads the rows until ctx ends.
func (c *chunk) parse(ctx context.Context) {
	f := c.file
	c.rows.separator = f.separator
	c.text0 = c.text0[:0]
	line := c.line
	for text := c.text; len(text) > 0 && ctx.Err() == nil; {
		n, lines, err := c.rows.next(text, true)
		text, line = text[n:], line+lines
		if n > maxRow {
			c.refuse(line-lines, errRow)
			return
		}
		if err == nil && len(c.rows.fields) > 0 {
			err = c.row(c.rows.fields, line-lines)
		}
		if err != nil {
			c.badRows++
			if c.fault == nil {
				c.fault = &Fault{File: f.name, Line: line - lines, Message: err.Error()}
			}
			if !f.skipBad {
				return
			}
		}
	}
}

func (c *chunk) refuse(line int, err error) {
	c.fault, c.refused = &Fault{File: c.file.name, Line: line, Message: err.Error()}, true
}

// row reads a row that is not blank.
func (c *chunk) row(fields [][]byte, line int) error {
	f := c.file
	l := f.layout
	if n := l.width; l.openEnd && len(fields) == n+1 && len(fields[n]) == 0 {
		fields = fields[:n]
	}
	if len(fields) != l.width {
		if allEmpty(fields) {
			return nil
		}
		return fmt.Errorf("%d fields, but %d in the header", len(fields), l.width)
	}
	when, err := c.when(fields, line)
	if err != nil {
		if allEmpty(fields) {
			return nil
		}
		if c.noPrices(fields) {
			c.missing++
			return nil
		}
		text := fields[l.date]
		if strings.EqualFold(string(text), l.header[l.date]) {
			return errors.New("the header again")
		}
		return fmt.Errorf("date %.80q is %w", text, err)
	}
	if l.ticker < 0 {
		return c.groupRows(fields, rowKey{when, int32(line)})
	}
	prices, err := c.prices(fields, &l.groups[0])
	if err != nil {
		return err
	}
	ticker := fields[l.ticker]
	if prices == nil {
		c.missing++
		return nil
	}
	if c.last == nil || c.last.ticker != string(ticker) {
		if c.last = c.parts[string(ticker)]; c.last == nil {
			name := string(ticker)
			if err := checkTicker(name); err != nil {
				return err
			}
			c.last = &part{ticker: name, group: &l.groups[0]}
			if n := len(c.spare); n > 0 {
				c.last.rows, c.spare = c.spare[n-1], c.spare[:n-1]
			}
			c.parts[name] = c.last
		}
	}
	c.add(c.last, rowKey{when, int32(line)}, prices)
	return nil
}

// noPrices reports whether a row has no price at all.
func (c *chunk) noPrices(fields [][]byte) bool {
	for i := range c.file.layout.groups {
		if prices, err := c.prices(fields, &c.file.layout.groups[i]); prices != nil || err != nil {
			return false
		}
	}
	return true
}

// groupRows reads a row of a file whose header has the tickers, or whose name is one.
func (c *chunk) groupRows(fields [][]byte, key rowKey) error {
	groups := c.file.layout.groups
	if c.groups == nil {
		c.groups = make([]*part, len(groups))
		for i := range groups {
			c.groups[i] = &part{ticker: groups[i].ticker, group: &groups[i]}
		}
	}
	for i := range groups {
		prices, err := c.prices(fields, &groups[i])
		if err != nil {
			return err
		}
		if prices != nil {
			c.add(c.groups[i], key, prices)
		} else if len(groups) == 1 && !c.file.layout.wide {
			c.missing++
		}
	}
	return nil
}

// add adds a row, unless it repeats the row before it.
func (c *chunk) add(p *part, key rowKey, prices []float64) {
	if n := len(p.rows.keys); n == 0 {
		c.touched = append(c.touched, p)
	} else if p.rows.keys[n-1].when == key.when {
		if p.rows.repeats(key, prices, p.group.columns) {
			return
		}
	}
	p.rows.keys = append(p.rows.keys, key)
	p.rows.prices = append(p.rows.prices, prices...)
}

// when reads the date of a row.
func (c *chunk) when(fields [][]byte, line int) (when, error) {
	f := c.file
	l := f.layout
	text := fields[l.date]
	if len(c.text0) == 0 || !bytes.Equal(text, c.text0) {
		st, err := readDate(text)
		if err == nil {
			err = f.checkDate(st)
		}
		if err != nil {
			c.text0 = c.text0[:0]
			return 0, err
		}
		if st.dayFirst && c.dayFirst.line == 0 {
			c.dayFirst = mark{line, string(text)}
		}
		if st.monthFirst && c.monthFirst.line == 0 {
			c.monthFirst = mark{line, string(text)}
		}
		c.text0, c.date0 = append(c.text0[:0], text...), st
	}
	sub := c.date0.minute
	if l.clock >= 0 {
		sub += clockMinute(fields[l.clock])
	}
	if l.series >= 0 {
		sub = seriesRank(fields[l.series])
	}
	return whenOf(c.date0.date, sub), nil
}

// prices reads the prices of a group: the close, and then its other columns in the order of their
// bits. It returns nil if all of them are missing, which is no row.
func (c *chunk) prices(fields [][]byte, g *group) ([]float64, error) {
	p := ohlc{nan, nan, nan, nan}
	adjusted := nan
	known, event := false, false
	for i, at := range [...]int{g.open, g.high, g.low, g.close, g.adjusted} {
		if at < 0 {
			continue
		}
		cell := fields[at]
		v, err := readPrice(cell, c.file.decimals)
		switch {
		case err == nil:
			known = true
			*[...]*float64{&p.open, &p.high, &p.low, &p.close, &adjusted}[i] = v
		case isMissing(cell), i < 3 && isZero(cell):
		case isEvent(cell):
			event = true
		default:
			return nil, g.fault(i, cell, err)
		}
	}
	switch {
	case p.close == p.close:
	case event || !known:
		return nil, nil
	default:
		return nil, g.fault(3, fields[g.close], errPrice)
	}
	if !p.consistent() {
		p.open, p.high, p.low = nan, nan, nan
	}
	out := append(c.price[:0], p.close)
	for i, v := range [...]float64{p.open, p.high, p.low, adjusted} {
		if g.columns&(1<<i) != 0 {
			out = append(out, v)
		}
	}
	return out, nil
}

// fault describes a cell that is not a price.
func (g *group) fault(i int, cell []byte, err error) error {
	name := [...]string{"open", "high", "low", g.closeName, "adj_close"}[i]
	if name == nameCRSP && len(cell) > 0 && cell[0] == '-' {
		return fmt.Errorf("%s %.80q is not a price: by a minus CRSP marks the mean of bid and ask "+
			"of a day without trades", name, cell)
	}
	return fmt.Errorf("%s %.80q is %w", name, cell, err)
}

const nameCRSP = "PRC"

func isZero(cell []byte) bool {
	return len(bytes.Trim(cell, "0.,")) == 0 && bytes.IndexByte(cell, '0') >= 0
}
