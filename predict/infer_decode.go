package predict

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"tickercast/predict/pyjson"
)

// inferRequest is a valid request for tensors.
type inferRequest struct {
	model   string // as the path names it
	id      *string
	items   []Request // in the order sent
	days    int       // columns of the outputs
	outputs []wanted  // in the order wanted
}

type wanted struct {
	output int  // index of inferOutputs
	binary bool // behind the JSON instead of in it
}

// inferBody is a request as sent. Its arrays have room for one more than a right request has;
// encoding/json skips what is beyond, so that a client's list takes no memory.
type inferBody struct {
	ID      *string                       `json:"id"`
	Inputs  [len(inferInputs) + 1]*tensor `json:"inputs"`
	Outputs [len(inferOutputs) + 1]*struct {
		Name       string `json:"name"`
		Parameters struct {
			Binary *bool `json:"binary_data"`
		} `json:"parameters"`
	} `json:"outputs"`
	Parameters struct {
		Binary bool `json:"binary_data_output"`
	} `json:"parameters"`
}

type tensor struct {
	Name       string          `json:"name"`
	Datatype   string          `json:"datatype"`
	Shape      [3]*int64       `json:"shape"`
	Data       json.RawMessage `json:"data"`
	Parameters struct {
		Size *int `json:"binary_data_size"` // nil: the values are in Data
	} `json:"parameters"`
	binary []byte
}

// decodeInfer reads an inference request: JSON, and where headLength, the value of
// Inference-Header-Content-Length, says so, binary tensors behind it. An error is always an *Error
// and names the tensor at fault.
func decodeInfer(body []byte, headLength string) (*inferRequest, error) {
	var rest []byte
	if headLength != "" {
		n, err := strconv.ParseUint(headLength, 10, 31)
		if err != nil || int(n) > len(body) {
			return nil, errInfer("Inference-Header-Content-Length is no length within the body")
		}
		body, rest = body[:n], body[n:]
	}
	var b inferBody
	if err := json.Unmarshal(body, &b); err != nil {
		return nil, errInferJSON(err)
	}
	var tensors [len(inferInputs)]*tensor
	for _, t := range b.Inputs {
		if t == nil {
			break
		}
		i := slices.IndexFunc(inferInputs[:], func(in inferInput) bool { return in.name == t.Name })
		switch {
		case i < 0:
			return nil, errInfer("unknown input '" + clip(t.Name) +
				"', there are ticker, days_ahead and confidence_interval")
		case tensors[i] != nil:
			return nil, t.fail("is there twice")
		case !slices.Contains(inferInputs[i].datatypes, t.Datatype):
			return nil, t.fail("has a datatype other than " + inferInputs[i].datatypes[0])
		case t.Parameters.Size == nil && t.Data == nil:
			return nil, t.fail("has no data")
		case t.Parameters.Size != nil:
			size := *t.Parameters.Size
			if t.Data != nil || size < 0 || size > len(rest) {
				return nil, t.fail(fmt.Sprintf("has data too, or a binary_data_size of %d where "+
					"%d bytes are left", size, len(rest)))
			}
			t.binary, rest = rest[:size], rest[size:]
		}
		tensors[i] = t
	}
	if len(rest) > 0 {
		return nil, errInfer(fmt.Sprintf("%d bytes are behind the last binary tensor", len(rest)))
	}
	r := &inferRequest{id: b.ID}
	if err := r.setItems(&tensors); err != nil {
		return nil, err
	}
	return r, r.setOutputs(&b)
}

// errInferJSON says what is wrong with a body that encoding/json does not take.
func errInferJSON(err error) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		want := map[string]string{"array": "a list", "struct": "an object", "string": "a string",
			"bool": "true or false"}[e.Type.Kind().String()]
		return errInfer(cmp.Or(e.Field, "the body") + " is " + clip(e.Value) + ", not " +
			cmp.Or(want, "an integer"))
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return errInfer(fmt.Sprintf("the body is no JSON: %v, at byte %d", e, e.Offset))
	}
	return errInfer("the body is no JSON")
}

// setItems checks the values by the rules of POST /predict without its leniency: a tensor has a
// datatype.
func (r *inferRequest) setItems(tensors *[len(inferInputs)]*tensor) error {
	if tensors[inputTicker] == nil {
		return errInfer("input ticker is missing")
	}
	tickers, err := values(tensors[inputTicker], &ruleStringType, cutString,
		func(s *string) *pyjson.Rule {
			if !utf8.ValidString(*s) {
				return &ruleUnicode
			}
			return tickerRule(pyjson.String, []byte(*s))
		})
	if err != nil {
		return err
	}
	days, err := values(tensors[inputDays], &pyjson.IntType, cutInt,
		func(n *int64) *pyjson.Rule { return ruleRange(*n, MinDays, MaxDays) })
	if err != nil {
		return err
	}
	single := tensors[inputConfidence] != nil && tensors[inputConfidence].Datatype == "FP32"
	confidences, err := values(tensors[inputConfidence], &pyjson.FloatType, cutFloat,
		func(x *float64) *pyjson.Rule {
			if single { // 0.99 in single precision may be sent as 0.9900000095
				*x, _ = strconv.ParseFloat(strconv.FormatFloat(*x, 'g', -1, 32), 64)
			}
			return confidenceRule(*x)
		})
	if err != nil {
		return err
	}
	n := len(tickers)
	for i, got := range [...]int{inputDays: len(days), inputConfidence: len(confidences)} {
		if got > 1 && got != n {
			return tensors[i].fail(fmt.Sprintf("has %d values, not 1 or as many as ticker: %d",
				got, n))
		}
	}
	r.items = make([]Request, n)
	for i := range r.items {
		r.items[i] = Request{Ticker: []byte(tickers[i]), Days: int(pick(days, i, DefaultDays)),
			Confidence: pick(confidences, i, DefaultConfidence)}
		r.days = max(r.days, r.items[i].Days)
	}
	return nil
}

// pick returns the value of item i: a single one is for all items.
func pick[T any](list []T, i int, absent T) T {
	if len(list) == 0 {
		return absent
	}
	return list[min(i, len(list)-1)]
}

// values reads and checks the values of a tensor, which is nil if it was not sent. check may change
// a value. cut takes one from the front of a binary tensor.
func values[T any](t *tensor, kind *pyjson.Rule, cut func(datatype string, b []byte) (T, int),
	check func(*T) *pyjson.Rule) (list []T, err error) {
	if t == nil {
		return nil, nil
	}
	n, column, err := t.length()
	switch {
	case err != nil:
		return nil, err
	case t.Parameters.Size == nil:
		list, err = jsonValues[T](t, n, column, kind)
	default:
		for b := t.binary; len(b) > 0 && len(list) <= n; {
			v, size := cut(t.Datatype, b)
			if size == 0 {
				return nil, t.fail(fmt.Sprintf("ends within value %d", len(list)))
			}
			list, b = append(list, v), b[size:]
		}
	}
	if err == nil && len(list) != n {
		err = t.fail(fmt.Sprintf("has %d values where its shape says %d", len(list), n))
	}
	for i := range list {
		if err != nil {
			return nil, err
		}
		if rule := check(&list[i]); rule != nil {
			err = t.fail(fmt.Sprintf("has a wrong value %d: %s", i, rule.Msg))
		}
	}
	return list, err
}

// length takes a shape of [n], and of [n, 1] from clients that send every model a column of rows.
func (t *tensor) length() (n int, column bool, err error) {
	s := t.Shape
	column = s[1] != nil && *s[1] == 1
	switch {
	case s[0] == nil || s[1] != nil && !column || s[2] != nil:
		return 0, false, t.fail("has a shape other than [n] or [n, 1]")
	case *s[0] < 1 || *s[0] > MaxBatch:
		return 0, false, t.fail(fmt.Sprintf("has a length of %d, not 1 to %d", *s[0], MaxBatch))
	}
	return int(*s[0]), column, nil
}

// jsonValues reads the n values of a list. Those of a column may stand in lists of one.
func jsonValues[T any](t *tensor, n int, column bool, kind *pyjson.Rule) (list []T, err error) {
	// Between two values of MaxTicker characters at most there is one comma. This keeps a long list
	// from taking many times the memory of its text.
	if strings.Count(string(t.Data), ",") > n*(MaxTicker+1) {
		return nil, t.fail(fmt.Sprintf("has more values than its shape says: %d", n))
	}
	if json.Unmarshal(t.Data, &list) == nil {
		return list, nil
	}
	var raw []json.RawMessage
	if json.Unmarshal(t.Data, &raw) != nil {
		return nil, t.fail("has no data in form of a list")
	}
	list = make([]T, len(raw))
	for i, v := range raw {
		if column && len(v) > 1 && v[0] == '[' {
			v = v[1 : len(v)-1]
		}
		if json.Unmarshal(v, &list[i]) != nil {
			return nil, t.fail(fmt.Sprintf("has a wrong value %d: %s", i, kind.Msg))
		}
	}
	return list, nil
}

func (t *tensor) fail(what string) error { return errInfer("input " + t.Name + " " + what) }

// setOutputs reads which outputs to send. None means all.
func (r *inferRequest) setOutputs(b *inferBody) error {
	for _, o := range b.Outputs {
		if o == nil {
			break
		}
		i := slices.IndexFunc(inferOutputs[:],
			func(out inferOutput) bool { return out.name == o.Name })
		switch {
		case i < 0:
			return errInfer("unknown output '" + clip(o.Name) +
				"', there are date, predicted_price, confidence_lower and confidence_upper")
		case slices.ContainsFunc(r.outputs, func(w wanted) bool { return w.output == i }):
			return errInfer("output " + o.Name + " is asked for twice")
		}
		w := wanted{i, b.Parameters.Binary}
		if o.Parameters.Binary != nil {
			w.binary = *o.Parameters.Binary
		}
		r.outputs = append(r.outputs, w)
	}
	for i := 0; i < len(inferOutputs) && b.Outputs[0] == nil; i++ { // none means all
		r.outputs = append(r.outputs, wanted{i, b.Parameters.Binary})
	}
	return nil
}
