package market

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"tickercast/model/calendar"
)

func (t *table) readCSV(br *bufio.Reader, name, ticker string) error {
	if bom, _ := br.Peek(3); string(bom) == "\xef\xbb\xbf" {
		br.Discard(3)
	}
	r := csv.NewReader(br)
	r.ReuseRecord = true
	fail := func(err error) error {
		var parse *csv.ParseError
		if errors.As(err, &parse) {
			return fmt.Errorf("%s:%d: %w", name, parse.StartLine, parse.Err)
		}
		line, _ := r.FieldPos(0)
		return fmt.Errorf("%s:%d: %w", name, line, err)
	}
	head, err := r.Read()
	if err == io.EOF {
		return fmt.Errorf("%s: empty file", name)
	}
	if err != nil {
		return fail(err)
	}
	h, err := parseHeader(head, ticker)
	if err != nil {
		return fail(err)
	}
	has := fieldSet{h.open >= 0, h.high >= 0, h.low >= 0}
	n := 0
	for {
		rec, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fail(err)
		}
		date, err := calendar.Parse(rec[h.date])
		if err != nil {
			return fail(err)
		}
		line, _ := r.FieldPos(0)
		if h.wide != nil {
			for i, f := range rec[1:] {
				if f == "" {
					continue
				}
				v, err := parsePrice(f)
				if err != nil {
					return fail(fmt.Errorf("%s: %w", h.wide[i], err))
				}
				c, err := t.column(h.wide[i], name, fieldSet{})
				if err != nil {
					return fail(err)
				}
				c.rows = append(c.rows, row{date, int32(line), prices{close: v}})
				n++
			}
			continue
		}
		tk := ticker
		if h.ticker >= 0 {
			tk = rec[h.ticker]
		}
		c, err := t.column(tk, name, has)
		if err != nil {
			return fail(err)
		}
		p, err := h.prices(rec)
		if err != nil {
			return fail(err)
		}
		c.rows = append(c.rows, row{date, int32(line), p})
		n++
	}
	if n == 0 {
		return fmt.Errorf("%s: no rows", name)
	}
	for _, c := range t.columns {
		if c.file == name {
			if err := c.sortRows(); err != nil {
				return err
			}
		}
	}
	return nil
}

type header struct {
	date, ticker, open, high, low, close, adj int
	wide                                      []string
}

func parseHeader(head []string, ticker string) (header, error) {
	h := header{-1, -1, -1, -1, -1, -1, -1, nil}
	for i, f := range head {
		switch strings.ToLower(strings.TrimSpace(f)) {
		case "date":
			h.date = i
		case "ticker", "symbol", "name":
			h.ticker = i
		case "open":
			h.open = i
		case "high":
			h.high = i
		case "low":
			h.low = i
		case "close":
			h.close = i
		case "adj_close", "adj close":
			h.adj = i
		}
	}
	if h.date < 0 {
		return h, errors.New("header has no date column")
	}
	if h.ticker < 0 && ticker == "" && h.close < 0 && h.adj < 0 && h.date == 0 {
		for _, f := range head[1:] {
			h.wide = append(h.wide, strings.Clone(f))
		}
		return h, nil
	}
	if h.ticker < 0 && ticker == "" {
		return h, errors.New("header has no ticker column")
	}
	if h.close < 0 && h.adj < 0 {
		return h, errors.New("header has no close column")
	}
	return h, nil
}

func (h *header) prices(rec []string) (p prices, err error) {
	if p.close, err = parsePrice(rec[h.close]); err != nil {
		return p, err
	}
	p.open, p.high, p.low = nan, nan, nan
	if h.open >= 0 && rec[h.open] != "" {
		if p.open, err = parsePrice(rec[h.open]); err != nil {
			return
		}
	}
	if h.high >= 0 && rec[h.high] != "" {
		if p.high, err = parsePrice(rec[h.high]); err != nil {
			return
		}
	}
	if h.low >= 0 && rec[h.low] != "" {
		if p.low, err = parsePrice(rec[h.low]); err != nil {
			return
		}
	}
	return p, nil
}

func parsePrice(s string) (float64, error) {
	for i := range len(s) {
		if c := s[i]; c-'0' > 9 && c != '.' && c != 'e' && c != 'E' && c != '-' && c != '+' {
			return 0, fmt.Errorf("%q is not a price", s)
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !isPrice(v) {
		return 0, fmt.Errorf("%q is not a price", s)
	}
	return v, nil
}
