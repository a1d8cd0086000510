package predict

import (
	"context"
	"fmt"
	"math"
	"strconv"
)

// An inferOutput is a tensor that the model gives. Each has a row an item and a column a trading
// day.
//
// A tensor is rectangular, while each item says for itself how many days it wants. So all rows are
// as long as the longest that is wanted, and the columns that a row did not ask for hold its
// forecasts for those days: the forecast of a day does not depend on how many are asked for, hence
// a row's first days_ahead columns are what POST /predict says. Padding would need a value that is
// no price, and JSON has no NaN; refusing a mix would make a proxy that merges requests fail.
type inferOutput struct{ name, datatype string }

const (
	outputDate = iota
	outputPrice
	outputLower
	outputUpper
)

var inferOutputs = [...]inferOutput{
	outputDate:  {"date", "BYTES"},
	outputPrice: {"predicted_price", "FP64"},
	outputLower: {"confidence_lower", "FP64"},
	outputUpper: {"confidence_upper", "FP64"},
}

// valueSize is the room for a value: a date, or a price of ten digits and more.
const valueSize = len(`"2006-01-02",`)

// size is about that of the answer.
func (r *inferRequest) size() int { return r.wanted * len(r.items) * r.days * valueSize }

// infer answers a request, or says which ticker is unknown: a tensor has no place for an error of
// one item.
func (w *world) infer(ctx context.Context, r *inferRequest) ([]byte, error) {
	var data [len(inferOutputs)][]byte
	for _, out := range r.outputs[:r.wanted] {
		data[out] = make([]byte, 0, len(r.items)*r.days*valueSize)
	}
	for i := range r.items {
		if err := ctx.Err(); err != nil {
			return nil, err // a thousand forecasts are worth leaving when the client has
		}
		if !w.appendColumns(&data, &r.items[i], r.days) {
			return nil, errInfer(fmt.Sprintf("input ticker, value %d: unknown ticker '%s'", i,
				r.items[i].Ticker))
		}
	}
	return w.appendAnswer(nil, r, &data), nil
}

// appendColumns appends an item's row to the outputs that are not nil; false means that its ticker
// is unknown.
func (w *world) appendColumns(data *[len(inferOutputs)][]byte, item *Request, days int) bool {
	t, ok := w.market.Find(item.Ticker)
	if !ok {
		return false
	}
	l := &w.listed[t.Index]
	price := func(out int, logReturn float64, decimals int) {
		if dst := data[out]; dst != nil {
			data[out] = append(appendPrice(dst, t.Close*math.Exp(logReturn), decimals), ',')
		}
	}
	for h := 1; h <= days; h++ {
		if dst := data[outputDate]; dst != nil {
			dst = append(append(dst, '"'), l.dates[h-1][:]...)
			data[outputDate] = append(dst, `",`...)
		}
		median := l.forecast.Median(h)
		lower, upper := l.forecast.Interval(h, item.Confidence)
		d := decimals(t.Close * math.Exp(median))
		price(outputPrice, median, d)
		price(outputLower, lower, d)
		price(outputUpper, upper, d)
	}
	return true
}

func (w *world) appendAnswer(dst []byte, r *inferRequest, data *[len(inferOutputs)][]byte) []byte {
	dst = append(dst, `{"model_name":"`+inferModel+`","model_version":`...)
	dst = appendString(dst, []byte(w.model.Version()))
	if r.id != nil {
		dst = append(dst, `,"id":`...)
		dst = appendString(dst, r.id)
	}
	dst = append(dst, `,"outputs":[`...)
	for i, out := range r.outputs[:r.wanted] {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst,
			`{"name":"`+inferOutputs[out].name+`","datatype":"`+inferOutputs[out].datatype+`","shape":[`...)
		dst = strconv.AppendInt(dst, int64(len(r.items)), 10)
		dst = append(dst, ',')
		dst = strconv.AppendInt(dst, int64(r.days), 10)
		dst = append(dst, `],"data":[`...)
		dst = append(dst, data[out][:len(data[out])-1]...) // without the comma behind the last
		dst = append(dst, `]}`...)
	}
	return append(dst, `]}`...)
}
