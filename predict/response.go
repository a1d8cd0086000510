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
