package predict

import (
	"bytes"
	"slices"
	"strconv"
	"unicode/utf8"

	"tickercast/predict/pyjson"
)

// A request in the form that clients send is read from a tree, which copies nothing: fields with
// their exact names, each once and none of it null, strings without escapes. Anything else, wrong
// or unusual, is left to encoding/json, so this reader need not get an error right.

// longestUsual bounds what is read in this way, since a tree takes sixteen times its text at most.
const longestUsual = 64 << 10

var (
	inferFields  = []string{"inputs", "outputs", "parameters", "id"}
	tensorFields = []string{"name", "shape", "datatype", "data", "parameters"}
	outputFields = []string{"name", "parameters"}

	inferParameters  = []string{"binary_data_output"}
	tensorParameters = []string{"binary_data_size"}
	outputParameters = []string{"binary_data"}
)

// readUsual reads a request. It reports whether that is in the usual form.
func (b *inferBody) readUsual(body []byte) bool {
	start := skipBlanks(body, 0)
	if start == len(body) || len(body) > longestUsual || !utf8.Valid(body) {
		return false
	}
	d := pyjson.NewDocument(body)
	end, ok := d.ParseValue(body, start, 0)
	return ok && onlyBlanks(body[end:]) && usualFields(d, 0, inferFields, func(field, v int) bool {
		switch field {
		case 0:
			tensors := new([len(inferInputs)]tensor)
			return usualList(d, v, len(tensors), func(i, v int) bool {
				b.Inputs[i] = &tensors[i]
				return tensors[i].readUsual(d, v)
			})
		case 1:
			return usualList(d, v, len(b.Outputs), func(i, v int) bool {
				b.Outputs[i] = new(output)
				return b.Outputs[i].readUsual(d, v)
			})
		case 2:
			return usualFields(d, v, inferParameters, func(_, v int) (ok bool) {
				b.Parameters.Binary, ok = usualBool(d, v)
				return ok
			})
		}
		text, ok := usualText(d, v)
		b.ID = new(string(text))
		return ok
	})
}

func (t *tensor) readUsual(d *pyjson.Document, node int) bool {
	return usualFields(d, node, tensorFields, func(field, v int) (ok bool) {
		switch field {
		case 0:
			t.Name, ok = usualName(d, v)
		case 1:
			ok = usualList(d, v, len(t.Shape), func(i, v int) bool {
				n, ok := usualInt(d, v)
				t.Shape[i] = &n
				return ok
			})
		case 2:
			t.Datatype, ok = usualName(d, v)
		case 3:
			t.Data, t.tree, t.list, ok = d.Raw(v), d, v, d.Kind(v) == pyjson.Array
		default:
			ok = usualFields(d, v, tensorParameters, func(_, v int) bool {
				n, ok := usualInt(d, v)
				t.Parameters.Size = new(int(n))
				return ok && int64(int(n)) == n
			})
		}
		return ok
	})
}

func (o *output) readUsual(d *pyjson.Document, node int) bool {
	return usualFields(d, node, outputFields, func(field, v int) (ok bool) {
		if field == 0 {
			o.Name, ok = usualName(d, v)
			return ok
		}
		return usualFields(d, v, outputParameters, func(_, v int) bool {
			binary, ok := usualBool(d, v)
			o.Parameters.Binary = &binary
			return ok
		})
	})
}

// usualFields calls read with each field of an object, by its index among names. It reports whether
// there are no others, each is there once at most, and read takes them.
func usualFields(d *pyjson.Document, object int, names []string,
	read func(field, value int) bool) bool {
	if d.Kind(object) != pyjson.Object {
		return false
	}
	seen := 0
	for key, value := range d.Members(object) {
		i := slices.Index(names, string(d.Raw(key)))
		if i < 0 || seen&(1<<i) != 0 || !read(i, value) {
			return false
		}
		seen |= 1 << i
	}
	return true
}

// usualList calls read with each value of a list of at most so many.
func usualList(d *pyjson.Document, list, most int, read func(i, value int) bool) bool {
	if d.Kind(list) != pyjson.Array {
		return false
	}
	n := 0
	for v := range d.Elements(list) {
		if n == most || !read(n, v) {
			return false
		}
		n++
	}
	return true
}

// A usualValue reads a value of a tensor, if it is in the usual form.
type usualValue[T any] func(d *pyjson.Document, node int) (v T, ok bool)

// usualValues returns the values of a tensor, if all are in the usual form. Those of a column may
// stand in lists of one.
func usualValues[T any](t *tensor, read usualValue[T]) (list []T, ok bool) {
	if t.tree == nil {
		return nil, false
	}
	list = make([]T, 0, t.n)
	for v := range t.tree.Elements(t.list) {
		if t.column && t.tree.Kind(v) == pyjson.Array && t.tree.Len(v) == 1 {
			for inner := range t.tree.Elements(v) {
				v = inner
			}
		}
		x, ok := read(t.tree, v)
		if !ok {
			return nil, false
		}
		list = append(list, x)
	}
	return list, true
}

// inferText is a string of a tensor, which may alias the body.
type inferText []byte

// UnmarshalText is for encoding/json.
func (t *inferText) UnmarshalText(text []byte) error {
	*t = bytes.Clone(text)
	return nil
}

func usualText(d *pyjson.Document, node int) (inferText, bool) {
	text := d.Raw(node)
	return text, d.Kind(node) == pyjson.String && bytes.IndexByte(text, '\\') < 0
}

// usualName reads a string, and makes none of those that the protocol has here.
func usualName(d *pyjson.Document, node int) (string, bool) {
	text, ok := usualText(d, node)
	for _, in := range inferInputs {
		if string(text) == in.name {
			return in.name, ok
		}
		for _, datatype := range in.datatypes {
			if string(text) == datatype {
				return datatype, ok
			}
		}
	}
	return string(text), ok
}

func usualInt(d *pyjson.Document, node int) (int64, bool) {
	n, err := strconv.ParseInt(string(d.Raw(node)), 10, 64)
	return n, err == nil && d.Kind(node) == pyjson.Integer
}

func usualFloat(d *pyjson.Document, node int) (float64, bool) {
	k := d.Kind(node)
	x, err := strconv.ParseFloat(string(d.Raw(node)), 64)
	return x, err == nil && (k == pyjson.Integer || k == pyjson.Decimal)
}

func usualBool(d *pyjson.Document, node int) (value, ok bool) {
	k := d.Kind(node)
	return k == pyjson.True, k == pyjson.True || k == pyjson.False
}
