package market

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
)

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

// row returns the prices of row i.
func (r *rowSet) row(i int, columns byte) []float64 {
	n := stride(columns)
	return r.prices[i*n : (i+1)*n]
}

func (r *rowSet) add(k rowKey, prices []float64) {
	r.keys, r.prices = append(r.keys, k), append(r.prices, prices...)
}

// repeats reports whether a row says the same as the last one.
func (r *rowSet) repeats(k rowKey, prices []float64, columns byte) bool {
	n := len(r.keys)
	return n > 0 && r.keys[n-1].when == k.when && sameClose(r.row(n-1, columns), prices, columns)
}

// sameClose reports whether two rows of a day have the same close. If they have, one is dropped.
func sameClose(a, b []float64, columns byte) bool {
	last := len(a) - 1
	return a[0] == b[0] && (columns&hasAdjusted == 0 || a[last] == b[last] ||
		a[last] != a[last] && b[last] != b[last])
}

// column holds the rows of one ticker.
type column struct {
	ticker   string
	file     string   // the first that has rows of it
	byName   bool     // the file has the ticker in its name only
	columns  byte     // as in group.columns
	blocks   []rowSet // none empty; growing one slice would leave as much behind as it holds
	rows     int
	unsorted bool // the days do not rise strictly
	tidied   int  // rows when they were last tidied
}

// maxBlock is the most rows that a block has room for in advance.
const maxBlock = 1024

// add appends rows in the order of their file. A row that repeats the one before it takes no
// memory, and other repeated rows take it for a time only.
func (c *column) add(f *file, rows *rowSet) {
	keys, prices := rows.keys, rows.prices
	n := stride(c.columns)
	if last := c.last(); last != nil {
		if last.repeats(keys[0], prices[:n], c.columns) {
			if keys, prices = keys[1:], prices[n:]; len(keys) == 0 {
				return
			}
		}
		before := last.keys[len(last.keys)-1].when.date()
		c.unsorted = c.unsorted || before >= keys[0].when.date()
	}
	for i := 1; i < len(keys) && !c.unsorted; i++ {
		c.unsorted = keys[i-1].when.date() >= keys[i].when.date()
	}
	if c.unsorted && c.rows > 2*c.tidied+maxBlock {
		c.tidy(f)
		c.unsorted = true // by the rows that follow
	}
	last := c.last()
	if last == nil || cap(last.keys)-len(last.keys) < len(keys) {
		room := max(len(keys), min(c.rows/4, maxBlock))
		c.blocks = append(c.blocks, rowSet{make([]rowKey, 0, room), make([]float64, 0, room*n)})
		last = c.last()
	}
	last.keys, last.prices = append(last.keys, keys...), append(last.prices, prices...)
	c.rows += len(keys)
}

func (c *column) last() *rowSet {
	if n := len(c.blocks); n > 0 {
		return &c.blocks[n-1]
	}
	return nil
}

// size returns the bytes that the column takes, about.
func (c *column) size() int64 {
	const overhead = 256
	return int64(c.rows)*int64(8+8*stride(c.columns)) + int64(len(c.blocks))*64 + overhead
}

// joined returns all rows in one set.
func (c *column) joined() *rowSet {
	if len(c.blocks) == 1 {
		return &c.blocks[0]
	}
	var all rowSet
	for _, b := range c.blocks {
		all.keys, all.prices = append(all.keys, b.keys...), append(all.prices, b.prices...)
	}
	return &all
}

func (c *column) set(rows rowSet) {
	c.blocks, c.rows = nil, len(rows.keys)
	if c.rows > 0 {
		c.blocks = []rowSet{rows}
	}
}

// filter keeps the rows for which keep is true. It may change their days.
func (c *column) filter(keep func(k *rowKey) bool) {
	var kept rowSet
	all := c.joined()
	for i, k := range all.keys {
		if keep(&k) {
			kept.add(k, all.row(i, c.columns))
		}
	}
	c.set(kept)
}

// tidy sorts the rows and drops those that repeat a day. A day with two closes is a fault.
func (c *column) tidy(f *file) {
	if !c.unsorted || c.rows == 0 {
		return
	}
	c.unsorted = false
	all := c.joined()
	keys := all.keys
	order := make([]int32, len(keys))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(keys[a].when, keys[b].when),
			cmp.Compare(keys[a].line, keys[b].line), cmp.Compare(a, b))
	})
	var kept rowSet
	for _, i := range order {
		k, prices := keys[i], all.row(int(i), c.columns)
		if have := len(kept.keys); have > 0 {
			first, before := kept.keys[have-1], kept.row(have-1, c.columns)
			switch {
			case k.when.date() != first.when.date():
			case k.when != first.when && f.hasSeries():
				f.otherSeries++
				continue
			case k.when != first.when:
				f.intraday(c.ticker, k)
				continue
			case sameClose(before, prices, c.columns):
				continue
			default:
				f.conflict(c.ticker, k, prices[0], first, before[0])
				continue
			}
		}
		kept.add(k, prices)
	}
	c.set(kept)
	c.tidied = c.rows
}

// series copies the rows into columns of their exact length. With adjusted closes, the prices are
// scaled by adjusted close over close of their row. Where the adjusted close is not known, that
// ratio is the one of the row before, so that the return is that of the closes.
func (c *column) series() Series {
	s := newSeries(c.ticker, c.rows)
	optional := s.optional()
	var adjusted []float64
	if c.columns&hasAdjusted != 0 {
		adjusted = make([]float64, c.rows)
	}
	i := 0
	for _, b := range c.blocks {
		for j, k := range b.keys {
			row := b.row(j, c.columns)
			s.Dates[i], s.Close[i] = k.when.date(), row[0]
			at := 1
			for bit, column := range optional {
				if c.columns&(1<<bit) != 0 {
					(*column)[i] = row[at]
					at++
				}
			}
			if adjusted != nil {
				adjusted[i] = row[at]
			}
			i++
		}
	}
	s.keep(c.columns)
	if adjusted != nil {
		s.adjust(adjusted)
	}
	return s
}

// adjust scales the prices to adjusted closes, of which NaN is not known.
func (s *Series) adjust(adjusted []float64) {
	raw := s.Close
	ratio := 1.0 // of the first row that has one
	if i := slices.IndexFunc(adjusted, isPrice); i >= 0 {
		ratio = adjusted[i] / raw[i]
	}
	scale := func(v float64) float64 {
		if v *= ratio; isPrice(v) {
			return v
		}
		return nan
	}
	for i, v := range adjusted {
		if isPrice(v) {
			ratio = v / raw[i]
		} else if adjusted[i] = scale(raw[i]); !isPrice(adjusted[i]) {
			adjusted[i] = raw[i]
		}
		for _, column := range s.optional() {
			if *column != nil {
				(*column)[i] = scale((*column)[i])
			}
		}
	}
	if s.Close = adjusted; !slices.Equal(raw, adjusted) {
		s.Raw = raw
	}
}

// absorb adds the rows of another file, f, which must have the same closes on the same days.
func (c *column) absorb(f *file, other *column) {
	last := c.last()
	if last.keys[len(last.keys)-1].when.date() < other.blocks[0].keys[0].when.date() {
		c.blocks, c.rows = append(c.blocks, other.blocks...), c.rows+other.rows
		return
	}
	a, b := c.joined(), other.joined()
	var out rowSet
	j := 0
	for i, k := range a.keys {
		x := a.row(i, c.columns)
		for ; j < len(b.keys) && b.keys[j].when.date() < k.when.date(); j++ {
			out.add(b.keys[j], b.row(j, c.columns))
		}
		if j < len(b.keys) && b.keys[j].when.date() == k.when.date() {
			y := b.row(j, c.columns)
			switch {
			case f.hasSeries() && b.keys[j].when != k.when:
				f.otherSeries++
				if b.keys[j].when < k.when {
					k, x = b.keys[j], y
				}
			case !sameClose(x, y, c.columns):
				f.fail(int(b.keys[j].line), fmt.Errorf("ticker %q on %v closes at %v, but at %v "+
					"in another file (the first with it is %s)", c.ticker, k.when.date(), y[0], x[0],
					c.file), true)
			}
			j++
		}
		out.add(k, x)
	}
	for ; j < len(b.keys); j++ {
		out.add(b.keys[j], b.row(j, c.columns))
	}
	c.set(out)
}
