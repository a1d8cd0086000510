package market

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"tickercast/model/calendar"
)

// MinPrice and MaxPrice bound every price, in any currency. A forecast multiplies a price by a few
// powers of ten at most, so it stays finite.
const MinPrice, MaxPrice = 1e-12, 1e15

// nan is an unknown price.
var nan = math.NaN()

// isPrice is false for NaN.
func isPrice(v float64) bool { return MinPrice <= v && v <= MaxPrice }

var errPrice = errors.New("not a price (want a decimal number, 1e-12 to 1e+15)")

// parsePrice reads a decimal number. ParseFloat also takes "inf" and "0x1p4", which are no prices.
func parsePrice(s string) (float64, error) {
	for i := range len(s) {
		switch c := s[i]; c {
		case '.', '-', '+', 'e', 'E':
		default:
			if c-'0' > 9 {
				return 0, errPrice
			}
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !isPrice(v) {
		return 0, errPrice
	}
	return v, nil
}

// ohlc is the prices of one day. NaN means unknown.
type ohlc struct{ open, high, low, close float64 }

// rounding is the relative error that adjustments and printed float32 values leave between prices
// that were equal.
const rounding = 1e-4

// consistent reports whether open and close lie between low and high, as far as they are known.
func (p ohlc) consistent() bool {
	top, bottom := p.high*(1+rounding), p.low*(1-rounding)
	// A comparison with NaN is false, and so passes.
	return !(p.open > top || p.close > top || p.open < bottom || p.close < bottom || bottom > top)
}

// adjusted returns the prices scaled so that the close is the adjusted one.
func (p ohlc) adjusted(close float64) ohlc {
	factor := close / p.close
	scale := func(v float64) float64 {
		if v *= factor; isPrice(v) {
			return v
		}
		return nan
	}
	return ohlc{scale(p.open), scale(p.high), scale(p.low), close}
}

var (
	errDate = errors.New("not a date (want YYYY-MM-DD)")
	errYear = errors.New("not a date of the years 1800 to 2199")
)

// isPlausible reports whether prices can be of that day. Without it, one wrong year would decide
// the age of the whole panel.
func isPlausible(d calendar.Date) bool {
	year, _, _ := d.Civil()
	return 1800 <= year && year <= 2199
}

// parseDate reads YYYY-MM-DD or a timestamp of midnight, as pandas writes dates. Any other time
// would mean an intraday file.
func parseDate(s string) (calendar.Date, error) {
	d, err := calendar.Parse(s)
	if err != nil {
		var ok bool
		if d, ok = parseMidnight(s); !ok {
			return 0, errDate
		}
	}
	if !isPlausible(d) {
		return 0, errYear
	}
	return d, nil
}

func parseMidnight(s string) (calendar.Date, bool) {
	s = strings.Replace(s, " ", "T", 1)
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t, err = time.Parse("2006-01-02T15:04:05", s)
	}
	h, m, sec := t.Clock()
	midnight := h == 0 && m == 0 && sec == 0 && t.Nanosecond() == 0
	return calendar.FromTime(t), err == nil && midnight // the date as written, in its own zone
}
