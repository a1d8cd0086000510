package pyjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// oddBodies seed FuzzParse. Each tests one rule.
var oddBodies = []string{
	``, ` `, `null`, `{}`, `[]`, `"x"`, `0`, `-0`, `01`, `1.`, `.5`, `+1`, `1e`, `1e+`, `1E400`,
	`-`, `tru`, `true`, `NaN`, `[0.80000000000000000001, 0., 0.9e0]`,
	`{"a":"A","a":"B"}`, `{"a":"A",}`, `{"a":"A"}x`, `{"a":""}`, `{"a":"\u0041"}`, `{"a":"é"}`,
	`{"a":"5","x":[{"a":1,"a":2}]}`, `{"a":5.0}`, ` { "a" : 0.95 } `,
	`"\ud83d\ude00"`, `"\ud83d"`, `"\u123"`, `"\x"`, "\"\x01\"", "\"\xff\"",
	"\"\xed\xa0\x80\"", "\ufeff{}",
	`{"a":[1,{"b":[]}],"c":{}}`, `[1 2]`, `{"a" 1}`, `{"a":}`,
	strings.Repeat("[", 100) + strings.Repeat("]", 100), strings.Repeat("[", 101),
	strings.Repeat("9", 4301),
}

func TestNodeBytes(t *testing.T) {
	if size := reflect.TypeFor[node]().Size(); size != nodeBytes {
		t.Errorf("a node has %d bytes, want %d", size, nodeBytes)
	}
}

// FuzzParse compares the parser with encoding/json: it accepts the same, but for CPython's limits.
func FuzzParse(f *testing.F) {
	for _, s := range oddBodies {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := Parse(body)
		src := bytes.TrimPrefix(body, []byte("\ufeff"))
		want := json.Valid(src)
		if want && (len(body) >= 2 && (body[0] == 0 || body[1] == 0) || !Valid(body) ||
			depth(src) > maxDepth || longestInteger(src) > maxDigits) {
			want = false
		}
		if got := err == nil; got != want {
			t.Fatalf("Parse(%q): got %v, want accepted %v", body, err, want)
		}
		if err != nil {
			fault, ok := errors.AsType[*SyntaxError](err)
			if !ok && err != ErrUnreadable {
				t.Errorf("Parse(%q): got %v, want ErrUnreadable or a SyntaxError", body, err)
			}
			if ok && (fault.Position < 0 || fault.Position > CodePoints(src)) {
				t.Errorf("Parse(%q): position %d is not in the body", body, fault.Position)
			}
			return
		}
		if int(d.nodes[0].next) != len(d.nodes) {
			t.Errorf("Parse(%q): the root ends at node %d of %d", body, d.nodes[0].next,
				len(d.nodes))
		}
		if most := mostNodes(src); len(d.nodes) > most || cap(d.nodes) != most {
			t.Errorf("Parse(%q): %d nodes in room for %d, want %d at most", body, len(d.nodes),
				cap(d.nodes), most)
		}
		input := d.Input(0)
		if !json.Valid(input) || !utf8.Valid(input) {
			t.Fatalf("input of %q is no JSON: %q", body, input)
		}
		// An input that is not cut has itself as input, and means what encoding/json reads.
		if len(input) >= maxInput || bytes.Contains(src, []byte(`\u`)) || !utf8.Valid(src) {
			return
		}
		again, err := Parse(input)
		if err != nil || !bytes.Equal(again.Input(0), input) {
			t.Errorf("the input of %q is not its own: %q", body, input)
		}
		var got, sent any
		if json.Unmarshal(src, &sent) == nil && json.Unmarshal(input, &got) == nil {
			g, _ := json.Marshal(got)
			s, _ := json.Marshal(sent)
			if !bytes.Equal(bytes.ReplaceAll(g, []byte("-0"), []byte("0")),
				bytes.ReplaceAll(s, []byte("-0"), []byte("0"))) {
				t.Errorf("input of %q: got %s, want %s", body, g, s)
			}
		}
	})
}

// depth is the number of brackets open at once in valid JSON.
func depth(b []byte) int {
	open, most, quoted := 0, 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '[' || c == '{'):
			open++
			most = max(most, open)
		case !quoted && (c == ']' || c == '}'):
			open--
		}
	}
	return most
}

// longestInteger is the number of digits of the longest integer in valid JSON.
func longestInteger(b []byte) int {
	most := 0
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	for {
		tok, err := dec.Token()
		if err != nil {
			return most
		}
		if n, ok := tok.(json.Number); ok && !strings.ContainsAny(string(n), ".eE") {
			most = max(most, len(strings.TrimPrefix(string(n), "-")))
		}
	}
}

// TestDeepBodiesAreCheap: work does not grow with depth times length.
func TestDeepBodiesAreCheap(t *testing.T) {
	body := strings.Repeat(`{"a":`, 99) + "[" + strings.Repeat("0,", 30000) + "0]" +
		strings.Repeat("}", 99)
	d, err := Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	allocs := testing.AllocsPerRun(5, func() { d.Input(0) })
	if allocs > 99*10 {
		t.Errorf("input of a deep body: got %v allocations", allocs)
	}
}
