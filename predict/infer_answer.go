package predict

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"

	"tickercast/model"
	"tickercast/predict/pyjson"
)

func errInfer(text string) *Error { return &Error{Status: http.StatusBadRequest, Detail: text} }

// valueSize is the room for a value: a date, or a price of ten digits and more.
const valueSize = len(`"2006-01-02",`) + 1

// answerBytes is room for what an answer has besides its numbers and id.
const answerBytes = 1 << 10

// size is about that of the answer.
func (r *inferRequest) size() int {
	size := len(r.outputs)*len(r.items)*r.days*valueSize + answerBytes + 6*len(r.model)
	if r.id != nil {
		size += 6 * len(*r.id)
	}
	return size
}

// inferAnswer is JSON of head bytes, and binary tensors behind it.
type inferAnswer struct {
	body []byte
	head int
}

// An inferRow is what the outputs say of one day of an item.
type inferRow struct {
	prices   [len(inferOutputs)]float64 // by output
	decimals int                        // of prices
	date     [len("2006-01-02")]byte
}

// inferRowBytes is what a row takes, rounded up.
const inferRowBytes = 64

// infer answers a request, from the front of dst on. An unknown ticker refuses all of it, as a
// tensor has no place for the error of one item.
func (st *state) infer(ctx context.Context, r *inferRequest, dst []byte) (a inferAnswer,
	err error) {
	rows := make([]inferRow, 0, len(r.items)*r.days)
	bounds := slices.ContainsFunc(r.outputs, func(w wanted) bool { return w.output > outputPrice })
	for i := range r.items {
		if err := ctx.Err(); err != nil {
			return a, err
		}
		t, ok := st.find(r.items[i].Ticker)
		if !ok {
			return a, errInfer(fmt.Sprintf("input ticker, value %d: unknown ticker '%s'", i,
				r.items[i].Ticker))
		}
		rows = appendRows(rows, &st.tickers[t.Index], r.items[i].Confidence, r.days, bounds)
	}
	return st.appendInfer(dst, r, rows), nil
}

// appendRows appends the rows of one item, without bounds if no one wants them.
func appendRows(rows []inferRow, ts *tickerState, confidence float64, days int,
	bounds bool) []inferRow {
	place := model.At(confidence)
	for h := 1; h <= days; h++ {
		row := inferRow{date: ts.dates[h-1]}
		price := ts.close * math.Exp(ts.forecast.Median(h))
		row.prices[outputPrice], row.decimals = price, decimals(price)
		if bounds {
			lower, upper := ts.forecast.Bounds(h, place)
			row.prices[outputLower] = ts.close * math.Exp(lower)
			row.prices[outputUpper] = ts.close * math.Exp(upper)
		}
		rows = append(rows, row)
	}
	return rows
}

// appendInfer appends an answer.
func (st *state) appendInfer(dst []byte, r *inferRequest, rows []inferRow) (a inferAnswer) {
	dst = append(dst, `{"model_name":`...)
	dst = pyjson.AppendString(dst, []byte(r.model))
	dst = append(dst, `,"model_version":`...)
	dst = pyjson.AppendString(dst, []byte(st.model.Version()))
	if r.id != nil {
		dst = append(dst, `,"id":`...)
		dst = pyjson.AppendString(dst, []byte(*r.id))
	}
	dst = append(dst, `,"outputs":[`...)
	for i, out := range r.outputs {
		if i > 0 {
			dst = append(dst, ',')
		}
		o := inferOutputs[out.output]
		dst = append(append(dst, `{"name":"`...), o.name...)
		dst = append(append(dst, `","datatype":"`...), o.datatype...)
		dst = append(dst, `","shape":[`...)
		dst = strconv.AppendInt(dst, int64(len(r.items)), 10)
		dst = append(dst, ',')
		dst = strconv.AppendInt(dst, int64(r.days), 10)
		if out.binary {
			dst = append(dst, `],"parameters":{"binary_data_size":`...)
			dst = strconv.AppendInt(dst, int64(len(rows)*out.binaryBytes()), 10)
			dst = append(dst, `}}`...)
			continue
		}
		dst = append(dst, `],"data":[`...)
		dst = out.appendJSON(dst, rows)
		dst = append(dst, `]}`...)
	}
	a.body = append(dst, `]}`...)
	a.head = len(a.body)
	for _, out := range r.outputs {
		if out.binary {
			a.body = out.appendBinary(a.body, rows)
		}
	}
	return a
}

// appendJSON appends the values of an output.
func (w wanted) appendJSON(dst []byte, rows []inferRow) []byte {
	for i := range rows {
		if i > 0 {
			dst = append(dst, ',')
		}
		if row := &rows[i]; w.output == outputDate {
			dst = append(append(append(dst, '"'), row.date[:]...), '"')
		} else {
			dst = appendPrice(dst, row.prices[w.output], row.decimals)
		}
	}
	return dst
}

// binaryBytes is the length of a value of an output behind the JSON.
func (w wanted) binaryBytes() int {
	if w.output == outputDate {
		return 4 + len("2006-01-02") // behind its length
	}
	return 8
}

func (w wanted) appendBinary(dst []byte, rows []inferRow) []byte {
	for i := range rows {
		if row := &rows[i]; w.output == outputDate {
			dst = appendText(dst, row.date[:])
		} else {
			dst = appendFP64(dst, roundPrice(row.prices[w.output], row.decimals))
		}
	}
	return dst
}
