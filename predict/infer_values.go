package predict

import (
	"encoding/json"
	"fmt"

	"tickercast/predict/pyjson"
)

// pick returns the value of item i: a single one is for all items.
func pick[T any](list []T, i int, absent T) T {
	if len(list) == 0 {
		return absent
	}
	return list[min(i, len(list)-1)]
}

// values reads and checks the values of a tensor, which is nil if it was not sent. usual reads one
// of JSON in the usual form, and cut takes one from the front of a binary tensor. check may change
// it.
func values[T any](t *tensor, kind *pyjson.Rule, usual usualValue[T],
	cut func(datatype string, b []byte) (T, int),
	check func(*T) *pyjson.Rule) (list []T, err error) {
	if t == nil {
		return nil, nil
	}
	if t.Parameters.Size == nil {
		list, err = jsonValues(t, kind, usual)
	} else {
		for b := t.binary; len(b) > 0 && len(list) <= t.n; {
			v, size := cut(t.Datatype, b)
			if size == 0 {
				return nil, t.fail(fmt.Sprintf("ends within value %d", len(list)))
			}
			list, b = append(list, v), b[size:]
		}
	}
	if err == nil && len(list) != t.n {
		err = t.fail(fmt.Sprintf("has %d values where its shape says %d", len(list), t.n))
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

// inferItemBytes is what a value takes as text, as a value of its type and as part of a Request,
// where lists may have grown to twice their length.
const inferItemBytes = 320

// setLength takes a shape of [n], and of [n, 1] from clients that send every model a column of
// rows.
func (d *inferDecoder) setLength(t *tensor) error {
	s := t.Shape
	t.column = s[1] != nil && *s[1] == 1
	switch {
	case s[0] == nil || s[1] != nil && !t.column || s[2] != nil:
		return t.fail("has a shape other than [n] or [n, 1]")
	case *s[0] < 1 || *s[0] > int64(d.maxItems):
		return t.fail(fmt.Sprintf("has a length of %d, not 1 to %d", *s[0], d.maxItems))
	}
	t.n = int(*s[0])
	return grow(d.held, t.n*inferItemBytes)
}

// jsonValues reads the values of a list. Those of a column may stand in lists of one.
func jsonValues[T any](t *tensor, kind *pyjson.Rule, usual usualValue[T]) (list []T, err error) {
	if len(t.Data) == 0 || t.Data[0] != '[' {
		return nil, t.fail("has no data in form of a list")
	}
	// A list that is longer than it says is not made: each of its values may have one byte only.
	if n := countItems(t.Data[1:]); n != t.n {
		return nil, t.fail(fmt.Sprintf("has %d values where its shape says %d", n, t.n))
	}
	if list, ok := usualValues(t, usual); ok {
		return list, nil
	}
	all := make([]T, 0, t.n)
	if json.Unmarshal(t.Data, &all) == nil {
		return all, nil
	}
	raw := make([]json.RawMessage, 0, t.n)
	if json.Unmarshal(t.Data, &raw) != nil {
		return nil, t.fail("has no data in form of a list")
	}
	list = make([]T, len(raw))
	for i, v := range raw {
		if t.column && len(v) > 1 && v[0] == '[' {
			v = v[1 : len(v)-1]
		}
		if json.Unmarshal(v, &list[i]) != nil {
			return nil, t.fail(fmt.Sprintf("has a wrong value %d: %s", i, kind.Msg))
		}
	}
	return list, nil
}
