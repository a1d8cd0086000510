package predict

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"tickercast/predict/pyjson"
)

// inferRequest is a valid request for tensors.
type inferRequest struct {
	id      []byte                  // nil for none
	items   []Request               // in the order sent
	days    int                     // columns of the outputs
	outputs [len(inferOutputs)]int8 // in the order wanted: indices of inferOutputs
	wanted  int                     // how many of outputs
}

// tensor is an input as sent. Its shape is checked, its values are not.
type tensor struct {
	*inferInput
	single bool  // FP32
	values []int // nodes
}

// decodeInfer reads the body of an inference request. An error is always an *Error and names the
// tensor at fault.
func decodeInfer(body []byte, maxItems int) (*inferRequest, error) {
	if len(body) == 0 {
		return nil, errInfer("the body is empty")
	}
	d, err := pyjson.Parse(body)
	if fault, ok := errors.AsType[*pyjson.SyntaxError](err); ok {
		return nil, errInfer(fmt.Sprintf("the body is no JSON: %s, at character %d", fault.Msg,
			fault.Position))
	}
	if err != nil {
		return nil, errUnreadable()
	}
	return (&inferDecoder{d, maxItems}).request()
}

type inferDecoder struct {
	*pyjson.Document
	maxItems int
}

func (d *inferDecoder) is(i int, k pyjson.Kind) bool { return i > 0 && d.Kind(i) == k }

func (d *inferDecoder) request() (*inferRequest, error) {
	if d.Kind(0) != pyjson.Object {
		return nil, errInfer("the body is no object")
	}
	at := d.Fields(0, "id", "inputs", "outputs")
	id, inputs, outputs := at[0], at[1], at[2]
	r := new(inferRequest)
	switch {
	case !d.is(inputs, pyjson.Array):
		return nil, errInfer("inputs is missing or no list")
	case d.is(id, pyjson.String):
		r.id = d.Text(id)
	case present(d.Document, id):
		return nil, errInfer("id is no string")
	}
	var tensors [len(inferInputs)]tensor
	for i := range d.Elements(inputs) {
		if err := d.input(i, &tensors); err != nil {
			return nil, err
		}
	}
	if err := d.items(r, &tensors); err != nil {
		return nil, err
	}
	return r, d.wanted(r, outputs)
}

// input reads an element of inputs into its place in tensors.
func (d *inferDecoder) input(i int, tensors *[len(inferInputs)]tensor) error {
	if d.Kind(i) != pyjson.Object {
		return errInfer("an input is no object")
	}
	at := d.Fields(i, "name", "datatype", "shape", "data")
	name, datatype, shape, data := at[0], at[1], at[2], at[3]
	if !d.is(name, pyjson.String) {
		return errInfer("an input has no name")
	}
	index := slices.IndexFunc(inferInputs[:],
		func(in inferInput) bool { return in.name == string(d.Text(name)) })
	if index < 0 {
		return errInfer("unknown input '" + clip(d.Text(name)) +
			"', there are ticker, days_ahead and confidence_interval")
	}
	in, t := &inferInputs[index], &tensors[index]
	switch {
	case t.inferInput != nil:
		return in.fail("is there twice")
	case !d.is(datatype, pyjson.String) || !slices.Contains(in.datatypes, string(d.Text(datatype))):
		return in.fail("has a datatype other than " + in.datatypes[0])
	case !d.is(data, pyjson.Array):
		return in.fail("has no data in form of a list")
	}
	t.inferInput, t.single = in, string(d.Text(datatype)) == "FP32"
	n, column, err := d.shape(in, shape)
	if err != nil {
		return err
	}
	return d.flatten(t, data, n, column)
}

// shape takes [n], and [n, 1] from clients that send every model a column of rows.
func (d *inferDecoder) shape(in *inferInput, i int) (n int, column bool, err error) {
	if !d.is(i, pyjson.Array) {
		return 0, false, in.fail("has no shape")
	}
	var dims [3]int64
	rank := 0
	for e := range d.Elements(i) {
		if rank == len(dims) || d.Kind(e) != pyjson.Integer {
			return 0, false, in.fail("has a shape other than [n] or [n, 1]")
		}
		dims[rank], _ = strconv.ParseInt(string(d.Raw(e)), 10, 64) // the nearest when out of range
		rank++
	}
	if rank != 1 && !(rank == 2 && dims[1] == 1) {
		return 0, false, in.fail("has a shape other than [n] or [n, 1]")
	}
	if dims[0] < 1 || dims[0] > int64(d.maxItems) {
		return 0, false, in.fail(fmt.Sprintf("has a length of %d, not 1 to %d", dims[0],
			d.maxItems))
	}
	return int(dims[0]), rank == 2, nil
}

// flatten lists the n values of a tensor. Those of a column may stand in lists of one.
func (d *inferDecoder) flatten(t *tensor, data, n int, column bool) error {
	if got := d.Len(data); got != n {
		return t.fail(fmt.Sprintf("has %d values where its shape says %d", got, n))
	}
	t.values = make([]int, 0, n)
	for v := range d.Elements(data) {
		if column && d.Kind(v) == pyjson.Array && d.Len(v) == 1 {
			for only := range d.Elements(v) {
				v = only
			}
		}
		t.values = append(t.values, v)
	}
	return nil
}

func (in *inferInput) fail(what string) error { return errInfer("input " + in.name + " " + what) }

// clip bounds what an error shows of a client's text.
func clip(s []byte) string {
	if len(s) > 40 {
		return string(pyjson.ReplaceInvalid(s[:40])) + "..."
	}
	return string(s)
}

// items checks the values by the rules of POST /predict without its leniency: a tensor has a
// datatype.
func (d *inferDecoder) items(r *inferRequest, tensors *[len(inferInputs)]tensor) error {
	n := len(tensors[inputTicker].values)
	if n == 0 {
		return inferInputs[inputTicker].fail("is missing")
	}
	for _, t := range tensors {
		if got := len(t.values); got != 0 && got != 1 && got != n {
			return t.fail(fmt.Sprintf("has %d values, not 1 or as many as ticker: %d", got, n))
		}
	}
	read := [len(inferInputs)]func(*tensor, int, *Request) *pyjson.Rule{
		inputTicker: d.ticker, inputDays: d.days, inputConfidence: d.confidence}
	r.items = make([]Request, n)
	for i := range r.items {
		item := &r.items[i]
		*item = Request{Days: DefaultDays, Confidence: DefaultConfidence}
		for input := range tensors {
			t := &tensors[input]
			if len(t.values) == 0 {
				continue // not sent
			}
			at := min(i, len(t.values)-1) // a single value is for all items
			if rule := read[input](t, t.values[at], item); rule != nil {
				return errInfer(fmt.Sprintf("input %s, value %d: %s", t.name, at, rule.Msg))
			}
		}
		r.days = max(r.days, item.Days)
	}
	return nil
}

func (d *inferDecoder) ticker(_ *tensor, v int, item *Request) *pyjson.Rule {
	item.Ticker = d.Text(v)
	rule := tickerRule(d.Kind(v), item.Ticker)
	if rule == nil && pyjson.HasSurrogate(item.Ticker) {
		rule = &ruleUnicode
	}
	return rule
}

func (d *inferDecoder) days(_ *tensor, v int, item *Request) *pyjson.Rule {
	if d.Kind(v) != pyjson.Integer {
		return &pyjson.IntType
	}
	days, rule := toInt(pyjson.Integer, d.Raw(v), MinDays, MaxDays)
	item.Days = int(days)
	return rule
}

func (d *inferDecoder) confidence(t *tensor, v int, item *Request) *pyjson.Rule {
	k := d.Kind(v)
	if k != pyjson.Integer && k != pyjson.Decimal {
		return &pyjson.FloatType
	}
	x, rule := pyjson.ToFloat(k, d.Raw(v))
	if rule == nil && t.single {
		// 0.99 in single precision may be sent as 0.9900000095.
		x, _ = strconv.ParseFloat(strconv.FormatFloat(x, 'g', -1, 32), 64)
	}
	if rule == nil {
		rule = confidenceRule(x)
	}
	item.Confidence = x
	return rule
}

// wanted reads which outputs to send. None means all.
func (d *inferDecoder) wanted(r *inferRequest, list int) error {
	if present(d.Document, list) && d.Kind(list) != pyjson.Array {
		return errInfer("outputs is no list")
	}
	if !present(d.Document, list) || d.Len(list) == 0 {
		for i := range r.outputs {
			r.outputs[i] = int8(i)
		}
		r.wanted = len(r.outputs)
		return nil
	}
	for i := range d.Elements(list) {
		if d.Kind(i) != pyjson.Object {
			return errInfer("an output is no object")
		}
		name := d.Fields(i, "name")[0]
		if !d.is(name, pyjson.String) {
			return errInfer("an output has no name")
		}
		out := slices.IndexFunc(inferOutputs[:],
			func(o inferOutput) bool { return o.name == string(d.Text(name)) })
		switch {
		case out < 0:
			return errInfer("unknown output '" + clip(d.Text(name)) +
				"', there are date, predicted_price, confidence_lower and confidence_upper")
		case slices.Contains(r.outputs[:r.wanted], int8(out)):
			return errInfer("output " + inferOutputs[out].name + " is asked for twice")
		}
		r.outputs[r.wanted] = int8(out)
		r.wanted++
	}
	return nil
}
