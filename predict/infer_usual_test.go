package predict

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// usualBodies are requests in the form that clients send.
var usualBodies = []string{
	`{"inputs":[{"name":"ticker","shape":[2],"datatype":"BYTES","data":["A","MSFT"]}]}`,
	` {"id":"é 42", "inputs" : [ {"data":[["A"],["MSFT"]],"name":"ticker","datatype":"BYTES",` +
		`"shape":[2,1]}, {"name":"days_ahead","shape":[1],"datatype":"INT32","data":[5]},` +
		`{"name":"confidence_interval","shape":[2],"datatype":"FP64","data":[9e-1,0.85]} ],` +
		`"outputs":[{"name":"date","parameters":{"binary_data":true}},{"name":"predicted_price"}],` +
		`"parameters":{"binary_data_output":false}}`,
	`{"inputs":[{"name":"ticker","shape":[1],"datatype":"BYTES",` +
		`"parameters":{"binary_data_size":5}}],"parameters":{"binary_data_output":true}}`,
	`{"inputs":[],"outputs":[]}`,
}

// TestUsualInfer: these bodies are read without encoding/json, their values included.
func TestUsualInfer(t *testing.T) {
	for _, body := range usualBodies {
		var b inferBody
		if !b.readUsual([]byte(body)) {
			t.Errorf("%s is not read as usual", body)
		}
		for _, in := range b.Inputs {
			if in != nil && in.Data != nil && in.tree == nil {
				t.Errorf("%s: no tree of %s", body, in.Name)
			}
		}
	}
}

// FuzzUsualInfer: what is read as usual is what encoding/json reads, and so are the values.
func FuzzUsualInfer(f *testing.F) {
	for _, body := range usualBodies {
		f.Add([]byte(body))
		for _, change := range [][2]string{{`"name"`, `"Name"`}, {`"A"`, `"\u0041"`}, {`"A"`, "null"},
			{`[2]`, `[2.0]`}, {`[5]`, `[-0]`}, {`5`, `99999999999999999999`}, {`9e-1`, `1e999`},
			{`"shape"`, `"shape":[3],"shape"`}, {`"inputs":`, `"inputs":null,"inputs":`},
			{`true`, `1`}, {`"é 42"`, "\"\xff\""}, {`]}`, `],"more":1}`}, {`["A"]`, `["A","A"]`},
			{`["A"]`, `[["A"]]`}, {` {`, "\ufeff{"}} {
			f.Add([]byte(strings.Replace(body, change[0], change[1], 1)))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var got, want inferBody
		if !got.readUsual(body) {
			return
		}
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatalf("%q is read as usual, but encoding/json says %v", body, err)
		}
		d := inferDecoder{maxItems: 1000}
		rest := bytes.Repeat([]byte("\x01\x00\x00\x00A"), 100)
		show := func(b *inferBody) string {
			r, err := d.request(b, rest)
			if err != nil {
				return fmt.Sprintf("%+v", err)
			}
			text, err := json.Marshal(r.id)
			return fmt.Sprintf("%s %v %+v %d %+v", text, err, r.items, r.days, r.outputs)
		}
		if got, want := show(&got), show(&want); got != want {
			t.Errorf("%q: got %s, want %s", body, got, want)
		}
	})
}
