package predict

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"tickercast/predict/internal/limits"
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
	ID         *string                        `json:"id"`
	Inputs     [len(inferInputs) + 1]*tensor  `json:"inputs"`
	Outputs    [len(inferOutputs) + 1]*output `json:"outputs"`
	Parameters struct {
		Binary bool `json:"binary_data_output"`
	} `json:"parameters"`
}

type output struct {
	Name       string `json:"name"`
	Parameters struct {
		Binary *bool `json:"binary_data"`
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
	binary []byte // the values, if they are not in Data

	tree *pyjson.Document // has Data as the node list; nil: not
	list int

	n      int  // values, by the shape
	column bool // the shape is [n, 1]
}

// An inferDecoder reads inference requests.
type inferDecoder struct {
	maxItems int
	held     *limits.Hold // counts what a request becomes
}

// decode reads a request: JSON, and where headLength, the value of Inference-Header-Content-Length,
// says so, binary tensors behind it. An error is always an *Error, and one about a tensor names it.
func (d *inferDecoder) decode(body []byte, headLength string) (*inferRequest, error) {
	var rest []byte
	if headLength != "" {
		n, err := strconv.ParseUint(headLength, 10, 31)
		if err != nil || int(n) > len(body) {
			return nil, errInfer("Inference-Header-Content-Length is no length within the body")
		}
		body, rest = body[:n], body[n:]
	}
	// encoding/json copies the list of a tensor, and then each of its values that is not in order.
	size := 2 * len(body)
	if len(body) <= longestUsual {
		size += pyjson.TreeBytes(body)
	}
	if err := grow(d.held, size); err != nil {
		return nil, err
	}
	defer d.held.Shrink(size)
	var b inferBody
	if !b.readUsual(body) {
		b = inferBody{}
		if err := json.Unmarshal(body, &b); err != nil {
			return nil, errInferJSON(err)
		}
	}
	return d.request(&b, rest)
}

// request checks a request, of which rest are the binary tensors.
func (d *inferDecoder) request(b *inferBody, rest []byte) (*inferRequest, error) {
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
	if err := d.setItems(r, &tensors); err != nil {
		return nil, err
	}
	return r, r.setOutputs(b)
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
func (d *inferDecoder) setItems(r *inferRequest, tensors *[len(inferInputs)]*tensor) error {
	if tensors[inputTicker] == nil {
		return errInfer("input ticker is missing")
	}
	for _, t := range tensors {
		if t != nil {
			if err := d.setLength(t); err != nil {
				return err
			}
		}
	}
	tickers, err := values(tensors[inputTicker], &ruleStringType, usualText, cutText,
		func(s *inferText) *pyjson.Rule {
			if !utf8.Valid(*s) {
				return &ruleUnicode
			}
			return tickerRule(pyjson.String, *s)
		})
	if err != nil {
		return err
	}
	days, err := values(tensors[inputDays], &pyjson.IntType, usualInt, cutInt,
		func(n *int64) *pyjson.Rule { return ruleRange(*n, MinDays, MaxDays) })
	if err != nil {
		return err
	}
	single := tensors[inputConfidence] != nil && tensors[inputConfidence].Datatype == "FP32"
	confidences, err := values(tensors[inputConfidence], &pyjson.FloatType, usualFloat,
		cutFloat,
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
		r.items[i] = Request{Ticker: tickers[i], Days: int(pick(days, i, DefaultDays)),
			Confidence: pick(confidences, i, DefaultConfidence)}
		r.days = max(r.days, r.items[i].Days)
	}
	return nil
}

func (t *tensor) fail(what string) error { return errInfer("input " + t.Name + " " + what) }

// setOutputs reads which outputs to send. None means all.
func (r *inferRequest) setOutputs(b *inferBody) error {
	r.outputs = make([]wanted, 0, len(inferOutputs))
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
