package market

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"tickercast/model/calendar"
)

// when orders the rows of a ticker. Its low bits are the minute of the day, or the rank of the
// series if the file has such a column.
type when int32

const minuteBits = 11

func whenOf(d calendar.Date, sub int) when { return when(d)<<minuteBits | when(sub) }

func (w when) date() calendar.Date { return calendar.Date(w >> minuteBits) }

func (w when) sub() int { return int(w & (1<<minuteBits - 1)) }

// rowKey is the day of a row and where it stands.
type rowKey struct {
	when when
	line int32
}

// rowSet is rows of one ticker. A row has a key and as many prices as stride: the close, and then
// the columns of the group that are present, in the order of their bits.
type rowSet struct {
	keys   []rowKey
	prices []float64
}

func stride(columns byte) int { return 1 + bits.OnesCount8(columns) }

// column holds the rows of one ticker.
type column struct {
	ticker   string
	file     string // the first that has rows of it
	byName   bool   // the file has the ticker in its name only
	columns  byte   // as in group.columns
	rows     rowSet
	unsorted bool // the days do not rise strictly
	tidied   int  // rows when they were last tidied
}

// same reports whether two rows of a day have the same close. If they have, one is dropped.
func (c *column) same(a, b []float64) bool {
	last := len(a) - 1
	return a[0] == b[0] && (c.columns&hasAdjusted == 0 || a[last] == b[last] ||
		a[last] != a[last] && b[last] != b[last])
}

func (c *column) row(i int) []float64 {
	n := stride(c.columns)
	return c.rows.prices[i*n : (i+1)*n]
}

// repeats reports whether a row says the same as the last one.
func (c *column) repeats(k rowKey, prices []float64) bool {
	n := len(c.rows.keys)
	return n > 0 && c.rows.keys[n-1].when == k.when && c.same(c.row(n-1), prices)
}

// add appends rows in the order of their file. A row that repeats the one before it takes no
// memory, and other repeated rows take it for a time only.
func (c *column) add(f *file, rows *rowSet) {
	keys, prices := rows.keys, rows.prices
	n := stride(c.columns)
	if len(keys) > 0 && c.repeats(keys[0], prices[:n]) {
		keys, prices = keys[1:], prices[n:]
	}
	if len(keys) == 0 {
		return
	}
	if have := len(c.rows.keys); have > 0 {
		c.unsorted = c.unsorted || c.rows.keys[have-1].when.date() >= keys[0].when.date()
		if c.unsorted && have+len(keys) > cap(c.rows.keys) && have > 2*c.tidied+1024 {
			c.tidy(f)
		}
	}
	for i := 1; i < len(keys) && !c.unsorted; i++ {
		c.unsorted = keys[i-1].when.date() >= keys[i].when.date()
	}
	c.rows.keys = append(c.rows.keys, keys...)
	c.rows.prices = append(c.rows.prices, prices...)
}

// size returns the bytes that the column takes.
func (c *column) size() int64 {
	const overhead = 256
	return int64(8*cap(c.rows.keys)+8*cap(c.rows.prices)) + overhead
}

// tidy sorts the rows and drops those that repeat a day. A day with two closes is a fault.
func (c *column) tidy(f *file) {
	if !c.unsorted {
		return
	}
	c.unsorted = false
	keys, n := c.rows.keys, stride(c.columns)
	order := make([]int32, len(keys))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(keys[a].when, keys[b].when),
			cmp.Compare(keys[a].line, keys[b].line), cmp.Compare(a, b))
	})
	var kept column
	kept.columns = c.columns
	kept.rows.keys = make([]rowKey, 0, len(keys))
	kept.rows.prices = make([]float64, 0, len(c.rows.prices))
	for _, i := range order {
		k, prices := keys[i], c.rows.prices[int(i)*n:(int(i)+1)*n]
		if have := len(kept.rows.keys); have > 0 {
			first := kept.rows.keys[have-1]
			switch same := kept.same(kept.row(have-1), prices); {
			case k.when.date() != first.when.date():
			case k.when != first.when && f.hasSeries():
				f.otherSeries++
				continue
			case k.when != first.when:
				f.intraday(c.ticker, k)
				continue
			case same:
				continue
			default:
				f.conflict(c.ticker, k, prices[0], first, kept.row(have - 1)[0])
				continue
			}
		}
		kept.rows.keys = append(kept.rows.keys, k)
		kept.rows.prices = append(kept.rows.prices, prices...)
	}
	c.rows = kept.rows
	c.tidied = len(c.rows.keys)
}

// series copies the rows into columns of their exact length. With adjusted closes, the prices are
// scaled by adjusted close over close of their row. Where the adjusted close is not known, that
// ratio is the one of the row before, so that the return is that of the closes.
func (c *column) series() Series {
	s := newSeries(c.ticker, len(c.rows.keys))
	optional := s.optional()
	for i, k := range c.rows.keys {
		s.Dates[i] = k.when.date()
		row := c.row(i)
		s.Close[i] = row[0]
		at := 1
		for j := range optional {
			if c.columns&(1<<j) != 0 {
				(*optional[j])[i] = row[at]
				at++
			}
		}
	}
	s.keep(c.columns)
	if c.columns&hasAdjusted != 0 {
		c.adjust(&s)
	}
	return s
}

func (c *column) adjust(s *Series) {
	last := stride(c.columns) - 1
	ratio := 1.0 // of the first row that has one
	for i := range s.Close {
		if v := c.row(i)[last]; v == v {
			ratio = v / s.Close[i]
			break
		}
	}
	raw := slices.Clone(s.Close)
	scale := func(v float64) float64 {
		if v *= ratio; isPrice(v) {
			return v
		}
		return nan
	}
	for i := range s.Close {
		adjusted := c.row(i)[last]
		if adjusted == adjusted {
			ratio = adjusted / raw[i]
		} else if adjusted = scale(raw[i]); adjusted != adjusted {
			adjusted = raw[i]
		}
		s.Close[i] = adjusted
		for _, column := range s.optional() {
			if *column != nil {
				(*column)[i] = scale((*column)[i])
			}
		}
	}
	if !slices.Equal(raw, s.Close) {
		s.Raw = raw
	}
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

// absorb adds the rows of another file, f, which must have the same closes on the same days.
func (c *column) absorb(f *file, other *column) {
	a, b := c.rows, other.rows
	if a.keys[len(a.keys)-1].when.date() < b.keys[0].when.date() {
		c.rows.keys = append(a.keys, b.keys...)
		c.rows.prices = append(a.prices, b.prices...)
		return
	}
	n := stride(c.columns)
	var out rowSet
	put := func(from *column, i int) {
		out.keys = append(out.keys, from.rows.keys[i])
		out.prices = append(out.prices, from.row(i)...)
	}
	i, j := 0, 0
	for i < len(a.keys) || j < len(b.keys) {
		switch {
		case j == len(b.keys):
			put(c, i)
			i++
		case i == len(a.keys) || b.keys[j].when.date() < a.keys[i].when.date():
			put(other, j)
			j++
		case a.keys[i].when.date() < b.keys[j].when.date():
			put(c, i)
			i++
		default:
			x, y := c.row(i), b.prices[j*n:(j+1)*n]
			switch {
			case f.hasSeries() && a.keys[i].when != b.keys[j].when:
				f.otherSeries++
				if b.keys[j].when < a.keys[i].when {
					a.keys[i] = b.keys[j]
					copy(x, y)
				}
			case !c.same(x, y):
				f.fail(int(b.keys[j].line), fmt.Errorf("ticker %q on %v closes at %v, but at %v "+
					"in another file (the first with it is %s)", c.ticker, b.keys[j].when.date(),
					y[0], x[0], c.file), true)
			}
			j++
		}
	}
	c.rows = out
}
