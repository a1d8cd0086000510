package market

import (
	"fmt"
	"io"

	"tickercast/model/calendar"
)

// csvFile is a CSV on its way into a table.
type csvFile struct {
	table  *table
	name   string
	ticker string // of all rows, where there is no column of tickers
	header header
	has    fields
	wide   []*column // one a field after the date, nil if the form is long
	prices int       // added to the table
}

// readCSV adds the prices of a CSV to the table. A ticker that is not empty stands in for a column
// of them.
func (t *table) readCSV(r io.Reader, name, ticker string) error {
	rows := newRowReader(r)
	f := &csvFile{table: t, name: name, ticker: ticker}
	for isHeader := true; ; isHeader = false {
		record, err := rows.next()
		switch {
		case err == io.EOF:
			return f.end(rows.line)
		case err != nil:
		case isHeader:
			err = f.start(record)
		default:
			err = f.add(record, rows.line)
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", name, rows.line, err)
		}
	}
}

// start takes the header.
func (f *csvFile) start(record []string) (err error) {
	f.header, err = parseHeader(record, f.ticker != "")
	if err != nil {
		return err
	}
	f.has = fields{f.header.open >= 0, f.header.high >= 0, f.header.low >= 0}
	for _, ticker := range f.header.wide {
		c, err := f.table.column(ticker, f.name, f.has)
		if err != nil {
			return err
		}
		f.wide = append(f.wide, c)
	}
	return nil
}

// add takes a row below the header.
func (f *csvFile) add(record []string, line int) error {
	text := record[f.header.date]
	date, err := parseDate(text)
	if err != nil {
		return fmt.Errorf("date %.80q is %w", text, err)
	}
	if f.wide != nil {
		return f.addWide(date, record[1:], line)
	}
	ticker := f.ticker
	if f.header.ticker >= 0 {
		ticker = record[f.header.ticker]
	}
	c, err := f.table.column(ticker, f.name, f.has)
	if err != nil {
		return err
	}
	p, err := f.header.prices(record)
	if err != nil {
		return err
	}
	c.rows = append(c.rows, row{date, int32(line), p})
	f.prices++
	return nil
}

func (f *csvFile) addWide(date calendar.Date, cells []string, line int) error {
	for i, text := range cells {
		if text == "" {
			continue
		}
		c := f.wide[i]
		v, err := parsePrice(text)
		if err != nil {
			return fmt.Errorf("%q %.80q is %w", c.ticker, text, err)
		}
		c.rows = append(c.rows, row{date, int32(line), prices{close: v}})
		f.prices++
	}
	return nil
}

// end takes the last line.
func (f *csvFile) end(line int) error {
	switch {
	case line == 0:
		return fmt.Errorf("%s: empty file", f.name)
	case f.prices == 0:
		return fmt.Errorf("%s: no prices below the header", f.name)
	}
	return nil
}

// prices reads the prices of a row in the long form.
func (h *header) prices(record []string) (p prices, err error) {
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
	p = prices{
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
