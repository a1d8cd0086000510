package predict

import (
	"bytes"
	"strconv"

	"tickercast/model/calendar"
	"tickercast/model/market"
	"tickercast/predict/pyjson"
)

// fastNumbers reads a list of low to high numbers from least to most, without sign and exponent.
func fastNumbers(b []byte, i, low, high int, least, most float64) (list []float64, end int) {
	if i >= len(b) || b[i] != '[' {
		return nil, len(b)
	}
	n := bytes.IndexByte(b[i:], ']')
	if n < 0 {
		return nil, len(b)
	}
	n = bytes.Count(b[i:i+n], []byte(",")) + 1
	if n < low || n > high {
		return nil, len(b)
	}
	list = make([]float64, n)
	for at := range list {
		i = skipBlanks(b, i+1) // after the bracket or a comma
		x, next := fastNumber(b, i)
		if next == i || x < least || x > most {
			return nil, len(b)
		}
		if i = skipBlanks(b, next); i >= len(b) || b[i] != ',' && at < n-1 {
			return nil, len(b)
		}
		list[at] = x
	}
	if b[i] != ']' {
		return nil, len(b)
	}
	return list, i + 1
}

// fastNumber reads a number as JSON has it, without sign or exponent. If there is none, end is i.
func fastNumber(b []byte, i int) (x float64, end int) {
	start, m := i, uint64(0)
	for ; i < len(b) && isDigit(b[i]); i++ {
		m = m*10 + uint64(b[i]-'0')
	}
	if i == start || b[start] == '0' && i > start+1 {
		return 0, start
	}
	decimals := 0
	if i < len(b) && b[i] == '.' {
		point := i
		for i++; i < len(b) && isDigit(b[i]); i++ {
			m = m*10 + uint64(b[i]-'0')
		}
		if decimals = i - point - 1; decimals == 0 {
			return 0, start
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		return 0, start
	}
	if i-start <= market.MaxDigits {
		return market.Decimal(m, decimals), i
	}
	x, _ = strconv.ParseFloat(string(b[start:i]), 64)
	return x, i
}

// fastCalendar reads the name of a calendar in quotes. It leaves aliases to the full path.
func fastCalendar(b []byte, i int) (c *calendar.Calendar, end int) {
	if i >= len(b) || b[i] != '"' {
		return nil, len(b)
	}
	n := bytes.IndexByte(b[i+1:], '"')
	if n < 0 {
		return nil, len(b)
	}
	name := string(b[i+1 : i+1+n])
	if c, _ = calendar.Lookup(name); c == nil || c.Name() != name {
		return nil, len(b)
	}
	return c, i + n + len(`""`)
}

// fastDate reads a date in quotes.
func fastDate(b []byte, i int) (date calendar.Date, end int) {
	const length = len(`"2006-01-02"`)
	if len(b)-i < length || b[i] != '"' || b[i+length-1] != '"' {
		return 0, len(b)
	}
	date, rule := toDate(pyjson.String, b[i+1:i+length-1])
	if rule != nil {
		return 0, len(b)
	}
	return date, i + length
}
