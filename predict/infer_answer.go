package predict

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"

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

// A column is an output as it is made.
type column struct {
	wanted
	data []byte
}

// infer answers a request. An unknown ticker refuses all of it, as a tensor has no place for the
// error of one item.
func (st *state) infer(ctx context.Context, r *inferRequest) (a inferAnswer, err error) {
	columns := make([]column, len(r.outputs))
	for i, out := range r.outputs {
		columns[i] = column{out, make([]byte, 0, len(r.items)*r.days*valueSize)}
	}
	for i := range r.items {
		if err := ctx.Err(); err != nil {
			return a, err
		}
		t, ok := st.find(r.items[i].Ticker)
		if !ok {
			return a, errInfer(fmt.Sprintf("input ticker, value %d: unknown ticker '%s'", i,
				r.items[i].Ticker))
		}
		for c := range columns {
			columns[c].appendRow(&st.tickers[t.Index], r.items[i].Confidence, r.days)
		}
	}
	return st.inferAnswer(r, columns), nil
}

// appendRow appends the values of one item.
func (c *column) appendRow(ts *tickerState, confidence float64, days int) {
	for h := 1; h <= days; h++ {
		if c.output == outputDate {
			c.appendDate(ts.dates[h-1][:])
			continue
		}
		median := ts.forecast.Median(h)
		price := median
		switch lower, upper := ts.forecast.Interval(h, confidence); c.output {
		case outputLower:
			price = lower
		case outputUpper:
			price = upper
		}
		c.appendNumber(ts.close*math.Exp(price), decimals(ts.close*math.Exp(median)))
	}
}

func (c *column) appendDate(date []byte) {
	if c.binary {
		c.data = appendText(c.data, date)
		return
	}
	c.data = append(append(append(c.data, '"'), date...), `",`...)
}

func (c *column) appendNumber(x float64, d int) {
	if c.binary {
		c.data = appendFP64(c.data, roundPrice(x, d))
		return
	}
	c.data = append(appendPrice(c.data, x, d), ',')
}

// inferAnswer puts an answer together.
func (st *state) inferAnswer(r *inferRequest, columns []column) (a inferAnswer) {
	size := r.size() - len(columns)*len(r.items)*r.days*valueSize
	for _, c := range columns {
		size += len(c.data)
	}
	dst := append(make([]byte, 0, size), `{"model_name":`...)
	dst = pyjson.AppendString(dst, []byte(r.model))
	dst = append(dst, `,"model_version":`...)
	dst = pyjson.AppendString(dst, []byte(st.model.Version()))
	if r.id != nil {
		dst = append(dst, `,"id":`...)
		dst = pyjson.AppendString(dst, []byte(*r.id))
	}
	dst = append(dst, `,"outputs":[`...)
	for i, c := range columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		o := inferOutputs[c.output]
		dst = append(dst, `{"name":"`+o.name+`","datatype":"`+o.datatype+`","shape":[`...)
		dst = strconv.AppendInt(dst, int64(len(r.items)), 10)
		dst = append(dst, ',')
		dst = strconv.AppendInt(dst, int64(r.days), 10)
		if c.binary {
			dst = append(dst, `],"parameters":{"binary_data_size":`...)
			dst = strconv.AppendInt(dst, int64(len(c.data)), 10)
			dst = append(dst, `}}`...)
			continue
		}
		dst = append(dst, `],"data":[`...)
		dst = append(dst, c.data[:len(c.data)-1]...) // without the last comma
		dst = append(dst, `]}`...)
	}
	a.body = append(dst, `]}`...)
	a.head = len(a.body)
	for _, c := range columns {
		if c.binary {
			a.body = append(a.body, c.data...)
		}
	}
	return a
}
