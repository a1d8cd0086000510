package predict

import (
	"math"

	"tickercast/model"
	"tickercast/model/calendar"
)

// dates are the trading days that follow an as-of date, as they are written.
type dates [MaxDays][len("2006-01-02")]byte

func datesAfter(asOf calendar.Date) *dates {
	var d dates
	for i := range d {
		asOf = calendar.Next(asOf, 1)
		asOf.AppendTo(d[i][:0])
	}
	return &d
}

// rows is everything that an answer is made of.
type rows struct {
	head       []byte // of each row: appendHead
	tail       []byte // of each row: appendTail
	dates      *dates
	close      float64
	forecast   *model.Forecast
	days       int
	confidence float64
	levels     []float64
}

func appendHead(dst, ticker []byte) []byte {
	dst = append(dst, `{"ticker":`...)
	dst = appendString(dst, ticker)
	return append(dst, `,"date":"`...)
}

func appendTail(dst []byte, version string) []byte {
	dst = append(dst, `,"model_version":`...)
	return appendString(dst, []byte(version))
}

// encode returns the answer in memory of little more than its size, since it may be kept for long.
func (r *rows) encode() []byte {
	const keys = len(`2006-01-02","predicted_price":,"confidence_lower":,"confidence_upper":},`)
	const price = 10 // digits; longer ones make the slice grow
	row := len(r.head) + keys + 3*price + len(r.tail)
	if n := len(r.levels); n > 0 {
		row += len(`,"intervals":[]`) + n*(len(`{"confidence":0.95,"lower":,"upper":},`)+2*price)
	}
	return r.appendTo(make([]byte, 0, r.days*row+len("[]")))
}

// appendTo appends the answer: a list with a row for each day.
func (r *rows) appendTo(dst []byte) []byte {
	dst = append(dst, '[')
	for h := 1; h <= r.days; h++ {
		if h > 1 {
			dst = append(dst, ',')
		}
		median := r.close * math.Exp(r.forecast.Median(h))
		d := decimals(median)
		dst = append(dst, r.head...)
		dst = append(dst, r.dates[h-1][:]...)
		dst = append(dst, `","predicted_price":`...)
		dst = appendPrice(dst, median, d)
		lower, upper := r.forecast.Interval(h, r.confidence)
		dst = append(dst, `,"confidence_lower":`...)
		dst = appendPrice(dst, r.close*math.Exp(lower), d)
		dst = append(dst, `,"confidence_upper":`...)
		dst = appendPrice(dst, r.close*math.Exp(upper), d)
		dst = append(dst, r.tail...)
		if r.levels != nil {
			dst = r.appendIntervals(dst, h, d)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func (r *rows) appendIntervals(dst []byte, h, d int) []byte {
	dst = append(dst, `,"intervals":[`...)
	for i, c := range r.levels {
		if i > 0 {
			dst = append(dst, ',')
		}
		lower, upper := r.forecast.Interval(h, c)
		dst = append(dst, `{"confidence":`...)
		dst = appendNumber(dst, c)
		dst = append(dst, `,"lower":`...)
		dst = appendPrice(dst, r.close*math.Exp(lower), d)
		dst = append(dst, `,"upper":`...)
		dst = appendPrice(dst, r.close*math.Exp(upper), d)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}
