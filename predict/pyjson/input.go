package pyjson

import (
	"math"
	"strconv"
	"unicode/utf8"
)

const maxInput = 2048 // bytes of JSON that an error shows of a value

// Input prints a value as Python prints what it parsed, for the "input" of an error: compact, keys
// in order of arrival, a repeated key at its first place with its last value. Of more than 2048
// bytes it is a string of the beginning.
func (d *Document) Input(i int) []byte {
	e := inputEncoder{Document: d}
	e.value(i)
	return truncate(e.out)
}

// StringInput is Input for a string that came outside of JSON.
func StringInput(s []byte) []byte { return truncate(AppendString(nil, s)) }

func truncate(json []byte) []byte {
	if len(json) <= maxInput {
		return json
	}
	n := maxInput
	for !utf8.RuneStart(json[n]) {
		n--
	}
	return AppendString(nil, append(json[:n:n], "..."...))
}

type inputEncoder struct {
	*Document
	out []byte
}

// value stops once truncate is certain to cut, so that a long body costs no more than a short one.
func (e *inputEncoder) value(i int) {
	if len(e.out) > maxInput {
		return
	}
	switch e.Kind(i) {
	case Null, True, False:
		e.out = append(e.out, e.Raw(i)...)
	case Integer:
		if e.out = append(e.out, e.Raw(i)...); string(e.Raw(i)) == "-0" {
			e.out = append(e.out[:len(e.out)-2], '0')
		}
	case Decimal:
		// Beyond float64 Python has Infinity, which JSON cannot hold: print what was sent, quoted.
		if x, _ := strconv.ParseFloat(string(e.Raw(i)), 64); math.IsInf(x, 0) {
			e.out = AppendString(e.out, e.Raw(i))
		} else {
			e.out = appendRepr(e.out, x)
		}
	case String:
		e.out = AppendString(e.out, e.Text(i))
	case Array:
		e.out = append(e.out, '[')
		for j := range e.Elements(i) {
			if j > i+1 {
				e.out = append(e.out, ',')
			}
			e.value(j)
		}
		e.out = append(e.out, ']')
	case Object:
		e.object(i)
	}
}

func (e *inputEncoder) object(i int) {
	last := map[string]int{} // key to the node of its last value
	for k, v := range e.Members(i) {
		last[string(e.Text(k))] = v
	}
	e.out = append(e.out, '{')
	for k := range e.Members(i) {
		key := e.Text(k)
		v, ok := last[string(key)]
		if !ok {
			continue // a repetition
		}
		delete(last, string(key))
		if k > i+1 {
			e.out = append(e.out, ',')
		}
		e.out = append(AppendString(e.out, key), ':')
		if e.value(v); len(e.out) > maxInput {
			return
		}
	}
	e.out = append(e.out, '}')
}
