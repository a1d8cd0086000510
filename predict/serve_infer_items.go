package predict

import (
	"fmt"
	"slices"
	"strconv"
)

// items checks the values by the rules of POST /predict, but for its leniency: a tensor says what
// kind it is of.
func (d *inferDecoder) items(r *inferRequest, tensors *[len(inferInputs)]tensor) *Error {
	n := len(tensors[inputTicker].values)
	if n == 0 {
		return inferInputs[inputTicker].fail("is missing")
	}
	for _, t := range tensors {
		if got := len(t.values); got != 0 && got != 1 && got != n {
			return t.fail(fmt.Sprintf("has %d values, not 1 or as many as ticker: %d", got, n))
		}
	}
	r.items = make([]Request, n)
	for i := range r.items {
		item := &r.items[i]
		*item = Request{Days: DefaultDays, Confidence: DefaultConfidence}
		if err := d.ticker(&tensors[inputTicker], i, item); err != nil {
			return err
		}
		if err := d.days(&tensors[inputDays], i, item); err != nil {
			return err
		}
		if err := d.confidence(&tensors[inputConfidence], i, item); err != nil {
			return err
		}
		r.days = max(r.days, item.Days)
	}
	return nil
}

// at is the value for item i, one for all when there is but one; ok is false for a tensor that was
// not sent.
func (t *tensor) at(i int) (value int, ok bool) {
	switch len(t.values) {
	case 0:
		return 0, false
	case 1:
		return t.values[0], true
	}
	return t.values[i], true
}

func (d *inferDecoder) ticker(t *tensor, i int, item *Request) *Error {
	v, _ := t.at(i)
	item.Ticker = d.text(v)
	rule := tickerRule(d.nodes[v].kind, item.Ticker)
	if rule == nil && hasSurrogate(item.Ticker) {
		rule = &ruleUnicode
	}
	return t.broken(i, rule)
}

func (d *inferDecoder) days(t *tensor, i int, item *Request) *Error {
	v, ok := t.at(i)
	if !ok {
		return nil
	}
	if d.nodes[v].kind != kindInteger {
		return t.broken(i, &ruleIntType)
	}
	days, rule := toInt(kindInteger, d.raw(v))
	if rule == nil {
		rule = ruleRange(days, MinDays, MaxDays)
	}
	item.Days = int(days)
	return t.broken(i, rule)
}

func (d *inferDecoder) confidence(t *tensor, i int, item *Request) *Error {
	v, ok := t.at(i)
	if !ok {
		return nil
	}
	k := d.nodes[v].kind
	if k != kindInteger && k != kindDecimal {
		return t.broken(i, &ruleFloatType)
	}
	x, rule := toFloat(k, d.raw(v))
	if rule == nil && t.single {
		// A client that holds 0.99 in single precision may send 0.9900000095: it means 0.99.
		x, _ = strconv.ParseFloat(strconv.FormatFloat(x, 'g', -1, 32), 64)
	}
	if rule == nil {
		rule = confidenceRule(x)
	}
	item.Confidence = x
	return t.broken(i, rule)
}

// wanted reads which outputs to send; none asked for means all.
func (d *inferDecoder) wanted(r *inferRequest, list int) *Error {
	if d.present(list) && d.nodes[list].kind != kindArray {
		return errInfer("outputs is no list")
	}
	if !d.present(list) || d.length(list) == 0 {
		for i := range r.outputs {
			r.outputs[i] = int8(i)
		}
		r.wanted = len(r.outputs)
		return nil
	}
	for i := range d.elements(list) {
		if d.nodes[i].kind != kindObject {
			return errInfer("an output is no object")
		}
		name := d.fields(i, "name")[0]
		if !d.is(name, kindString) {
			return errInfer("an output has no name")
		}
		out := slices.IndexFunc(inferOutputs[:],
			func(o inferOutput) bool { return o.name == string(d.text(name)) })
		switch {
		case out < 0:
			return errInfer("unknown output '" + clip(d.text(name)) +
				"', there are date, predicted_price, confidence_lower and confidence_upper")
		case slices.Contains(r.outputs[:r.wanted], int8(out)):
			return errInfer("output " + inferOutputs[out].name + " is asked for twice")
		}
		r.outputs[r.wanted] = int8(out)
		r.wanted++
	}
	return nil
}

// broken is the error of a value that breaks a rule, or nil.
func (t *tensor) broken(i int, rule *Rule) *Error {
	if rule == nil {
		return nil
	}
	return errInfer(fmt.Sprintf("input %s, value %d: %s", t.name, min(i, len(t.values)-1),
		rule.Msg))
}
