package predict

import (
	"math"
	"strconv"
	"unicode/utf8"
)

const maxEcho = 2048 // bytes of JSON; a longer echo is cut

// echo writes a value back the way Python prints what it parsed: compact, keys in order of arrival,
// of a repeated key the last value at the first one's place.
func (d *document) echo(i int) []byte {
	e := echoer{document: d}
	e.value(i)
	return capEcho(e.out)
}

// capEcho replaces an echo that is too long by the string of its beginning.
func capEcho(json []byte) []byte {
	if len(json) <= maxEcho {
		return json
	}
	n := maxEcho
	for !utf8.RuneStart(json[n]) {
		n--
	}
	return appendString(nil, append(json[:n:n], "..."...))
}

type echoer struct {
	*document
	out []byte
}

// value stops as soon as the cap is certain to cut, so that a long body costs no more than a short
// one.
func (e *echoer) value(i int) {
	if len(e.out) > maxEcho {
		return
	}
	switch n := e.nodes[i]; n.kind {
	case kindNull, kindTrue, kindFalse:
		e.out = append(e.out, e.raw(i)...)
	case kindInteger:
		if e.out = append(e.out, e.raw(i)...); string(e.raw(i)) == "-0" {
			e.out = append(e.out[:len(e.out)-2], '0')
		}
	case kindDecimal:
		// One beyond float64 is Infinity in Python, which JSON cannot hold: it is echoed as it was
		// sent, in quotes.
		if x, _ := strconv.ParseFloat(string(e.raw(i)), 64); math.IsInf(x, 0) {
			e.out = appendString(e.out, e.raw(i))
		} else {
			e.out = appendFloat(e.out, x)
		}
	case kindString:
		e.out = appendString(e.out, e.text(i))
	case kindArray:
		e.out = append(e.out, '[')
		for j := range e.elements(i) {
			if j > i+1 {
				e.out = append(e.out, ',')
			}
			e.value(j)
		}
		e.out = append(e.out, ']')
	case kindObject:
		e.object(i)
	}
}

func (e *echoer) object(i int) {
	last := map[string]int{} // key to the node of its last value
	for k, v := range e.members(i) {
		last[string(e.text(k))] = v
	}
	e.out = append(e.out, '{')
	for k := range e.members(i) {
		key := e.text(k)
		v, ok := last[string(key)]
		if !ok {
			continue // a repetition
		}
		delete(last, string(key))
		if k > i+1 {
			e.out = append(e.out, ',')
		}
		e.out = append(appendString(e.out, key), ':')
		if e.value(v); len(e.out) > maxEcho {
			return
		}
	}
	e.out = append(e.out, '}')
}
