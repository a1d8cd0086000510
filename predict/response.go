package predict

import (
	"math"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/predict/pyjson"
)

// dates are the sessions after an as-of date in text form.
type dates [MaxDays][len("2006-01-02")]byte

func datesAfter(c *calendar.Calendar, asOf calendar.Date, days int) *dates {
	var d dates
	for i := range d[:days] {
		asOf = c.Next(asOf, 1)
		asOf.AppendTo(d[i][:0])
	}
	return &d
}

func rowPrefix(ticker []byte) []byte {
	return append(pyjson.AppendString([]byte(`{"ticker":`), ticker), `,"date":"`...)
}

func rowSuffix(version string) []byte {
	return pyjson.AppendString([]byte(`,"model_version":`), []byte(version))
}

// encode encodes the answer to a request, a list with a row for each day. It allocates little more
// than that needs, as the answer may be cached.
func (ts *tickerState) encode(suffix []byte, r *Request) []byte {
	const keys = len(`2006-01-02","predicted_price":,"confidence_lower":,"confidence_upper":},`)
	const price = 10 // digits of most; longer ones make the slice grow
	row := len(ts.rowPrefix) + keys + 3*price + len(suffix)
	if n := len(r.Levels); n > 0 {
		row += len(`,"intervals":[]`) + n*(len(`{"confidence":0.95,"lower":,"upper":},`)+2*price)
	}
	dst := append(make([]byte, 0, r.Days*row+len("[]")+tagBytes), '[')
	place := model.At(r.Confidence)
	for h := 1; h <= r.Days; h++ {
		if h > 1 {
			dst = append(dst, ',')
		}
		median := ts.close * math.Exp(ts.forecast.Median(h))
		d := decimals(median)
		dst = append(dst, ts.rowPrefix...)
		dst = append(dst, ts.dates[h-1][:]...)
		dst = append(dst, `","predicted_price":`...)
		dst = appendPrice(dst, median, d)
		lower, upper := ts.forecast.Bounds(h, place)
		dst = append(dst, `,"confidence_lower":`...)
		dst = appendPrice(dst, ts.close*math.Exp(lower), d)
		dst = append(dst, `,"confidence_upper":`...)
		dst = appendPrice(dst, ts.close*math.Exp(upper), d)
		dst = append(dst, suffix...)
		if r.Levels != nil {
			dst = ts.appendIntervals(dst, h, r.Levels, d)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func (ts *tickerState) appendIntervals(dst []byte, h int, levels []float64, d int) []byte {
	dst = append(dst, `,"intervals":[`...)
	for i, c := range levels {
		if i > 0 {
			dst = append(dst, ',')
		}
		lower, upper := ts.forecast.Interval(h, c)
		dst = append(dst, `{"confidence":`...)
		dst = pyjson.AppendFloat(dst, c)
		dst = append(dst, `,"lower":`...)
		dst = appendPrice(dst, ts.close*math.Exp(lower), d)
		dst = append(dst, `,"upper":`...)
		dst = appendPrice(dst, ts.close*math.Exp(upper), d)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}
