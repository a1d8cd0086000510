package market

import (
	"context"
	"fmt"
	"io"

	"tickercast/model/calendar"
)

// csvFile is a CSV whose rows go into a table.
type csvFile struct {
	table  *table
	name   string
	ticker string // of all rows, if there is no ticker column
	header header
	wide   []*column // one per field after the date; nil in the long form
	prices int       // added to the table
}

// readCSV adds the prices of a CSV to the table.
func (t *table) readCSV(ctx context.Context, rows *rowReader, name, ticker string) error {
	f := &csvFile{table: t, name: name, ticker: ticker}
	for isHeader := true; ; isHeader = false {
		record, err := rows.next()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == io.EOF && rows.line == 0:
			return fmt.Errorf("%s: empty file", name)
		case err == io.EOF && f.prices == 0:
			return fmt.Errorf("%s: no prices below the header", name)
		case err == io.EOF:
			return nil
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
	for _, ticker := range f.header.wide {
		c, err := f.table.column(ticker, f.name, &f.header)
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
	c, err := f.table.column(ticker, f.name, &f.header)
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
		c.rows = append(c.rows, row{date, int32(line), ohlc{close: v}})
		f.prices++
	}
	return nil
}
