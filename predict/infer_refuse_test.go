package predict_test

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestInferRefusals(t *testing.T) {
	h := newHandler(t)
	ticker := func(more string) string {
		return `{"inputs":[{"name":"ticker","datatype":"BYTES","shape":[2],"data":["A","MSFT"]}` +
			more + `}`
	}
	days := func(tensor string) string { return ticker(`,{"name":"days_ahead",` + tensor + `}]`) }
	confidence := func(tensor string) string {
		return ticker(`,{"name":"confidence_interval",` +
			tensor + `}]`)
	}
	one := func(tensor string) string { return `{"inputs":[{"name":"ticker",` + tensor + `}]}` }
	for _, tt := range []struct{ body, want string }{
		{``, "the body is no JSON: unexpected end of JSON input, at byte 0"},
		{`{"inputs":[}`, "the body is no JSON: invalid character '}' looking for beginning of value, at byte 12"},
		{`[]`, "the body is array, not an object"},
		{`{}`, "input ticker is missing"},
		{`{"inputs":1}`, "inputs is number, not a list"},
		{`{"inputs":null}`, "input ticker is missing"},
		{`{"inputs":[]}`, "input ticker is missing"},
		{`{"inputs":[1]}`, "inputs is number, not an object"},
		{`{"inputs":[{"name":1}]}`, "inputs.name is number, not a string"},
		{`{"inputs":[{"name":"price"}]}`,
			"unknown input 'price', there are ticker, days_ahead and confidence_interval"},
		{`{"id":1,"inputs":[]}`, "id is number, not a string"},
		{one(`"shape":[1],"data":["A"]`), "input ticker has a datatype other than BYTES"},
		{one(`"datatype":"INT32","shape":[1],"data":["A"]`),
			"input ticker has a datatype other than BYTES"},
		{one(`"datatype":"BYTES","shape":[1]`), "input ticker has no data"},
		{one(`"datatype":"BYTES","shape":[1],"data":{}`),
			"input ticker has no data in form of a list"},
		{one(`"datatype":"BYTES","data":["A"]`), "input ticker has a shape other than [n] or [n, 1]"},
		{one(`"datatype":"BYTES","shape":[],"data":["A"]`),
			"input ticker has a shape other than [n] or [n, 1]"},
		{one(`"datatype":"BYTES","shape":[1,2],"data":["A","A"]`),
			"input ticker has a shape other than [n] or [n, 1]"},
		{one(`"datatype":"BYTES","shape":[1,1,1],"data":["A"]`),
			"input ticker has a shape other than [n] or [n, 1]"},
		{one(`"datatype":"BYTES","shape":[1,1,1,1,1],"data":["A"]`),
			"input ticker has a shape other than [n] or [n, 1]"},
		{one(`"datatype":"BYTES","shape":["1"],"data":["A"]`),
			"inputs.shape is string, not an integer"},
		{one(`"datatype":"BYTES","shape":[0],"data":[]`),
			"input ticker has a length of 0, not 1 to 1000"},
		{one(`"datatype":"BYTES","shape":[-1],"data":["A"]`),
			"input ticker has a length of -1, not 1 to 1000"},
		{one(`"datatype":"BYTES","shape":[99999999999999999999],"data":["A"]`),
			"inputs.shape is number 99999999999999999999, not an integer"},
		{one(`"datatype":"BYTES","shape":[2],"data":["A"]`),
			"input ticker has 1 values where its shape says 2"},
		{one(`"datatype":"BYTES","shape":[1],"data":[["A"]]`),
			"input ticker has a wrong value 0: Input should be a valid string"},
		{one(`"datatype":"BYTES","shape":[1,1],"data":[["A","A"]]`),
			"input ticker has a wrong value 0: Input should be a valid string"},
		{one(`"datatype":"BYTES","shape":[1],"data":["ABCDEFGHIJK"]`),
			"input ticker has a wrong value 0: String should have at most 10 characters"},
		{one(`"datatype":"BYTES","shape":[1],"data":["\ud800"]`),
			"input ticker, value 0: unknown ticker '�'"},
		{one(`"datatype":"BYTES","shape":[2],"data":["A","ZZ"]`),
			"input ticker, value 1: unknown ticker 'ZZ'"},
		{ticker(`,{"name":"ticker","datatype":"BYTES","shape":[1],"data":["A"]}]`),
			"input ticker is there twice"},
		{days(`"datatype":"FP64","shape":[1],"data":[1]`),
			"input days_ahead has a datatype other than INT32"},
		{days(`"datatype":"INT32","shape":[3],"data":[1,1,1]`),
			"input days_ahead has 3 values, not 1 or as many as ticker: 2"},
		{days(`"datatype":"INT32","shape":[2],"data":[1,31]`),
			"input days_ahead has a wrong value 1: Input should be less than or equal to 30"},
		{days(`"datatype":"INT32","shape":[1],"data":[0]`),
			"input days_ahead has a wrong value 0: Input should be greater than or equal to 1"},
		{days(`"datatype":"INT32","shape":[1],"data":[1.0]`),
			"input days_ahead has a wrong value 0: Input should be a valid integer"},
		{days(`"datatype":"INT32","shape":[1],"data":["1"]`),
			"input days_ahead has a wrong value 0: Input should be a valid integer"},
		{days(`"datatype":"INT32","shape":[1],"data":[1e999]`),
			"input days_ahead has a wrong value 0: Input should be a valid integer"},
		{confidence(`"datatype":"FP64","shape":[1],"data":["0.9"]`),
			"input confidence_interval has a wrong value 0: Input should be a valid number"},
		{confidence(`"datatype":"FP64","shape":[1],"data":[true]`),
			"input confidence_interval has a wrong value 0: Input should be a valid number"},
		{confidence(`"datatype":"FP64","shape":[1],"data":[0.9900000095367432]`),
			"input confidence_interval has a wrong value 0: Input should be less than or equal to 0.99"},
		{confidence(`"datatype":"FP32","shape":[1],"data":[1e999]`),
			"input confidence_interval has a wrong value 0: Input should be a valid number"},
		{confidence(`"datatype":"FP32","shape":[2],"data":[0.9,0.79]`),
			"input confidence_interval has a wrong value 1: Input should be greater than or equal to 0.8"},
		{ticker(`],"outputs":{}`), "outputs is object, not a list"},
		{ticker(`],"outputs":["date"]`), "outputs is string, not an object"},
		{ticker(`],"outputs":[{}]`), "unknown output '', there are date, predicted_price, confidence_lower and confidence_upper"},
		{ticker(`],"outputs":[{"name":"` + strings.Repeat("é", 30) + `"}]`),
			"unknown output '" + strings.Repeat("é", 20) +
				"...', there are date, predicted_price, confidence_lower and confidence_upper"},
		{ticker(`],"outputs":[{"name":"date"},{"name":"date"}]`), "output date is asked for twice"},
	} {
		w := call(h, "POST", inferPath, tt.body)
		var got map[string]string
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 400 ||
			len(got) != 1 || got["error"] != tt.want {
			t.Errorf("%.120s: got %d %s, want 400 and %q", tt.body, w.Code, w.Body, tt.want)
		}
	}
	for _, tt := range []struct {
		method, path, body string
		code               int
		want               string
	}{
		{"POST", "/v2/models/other/infer", `{`, 404,
			`{"error":"unknown model 'other', there is 'tickercast'"}`},
		{"GET", "/v2/models/other", ``, 404,
			`{"error":"unknown model 'other', there is 'tickercast'"}`},
		{"GET", "/v2/models/other/ready", ``, 404,
			`{"error":"unknown model 'other', there is 'tickercast'"}`},
		{"GET", "/v2/models/%ff", ``, 404, `{"error":"unknown model '` + "\ufffd" +
			`', there is 'tickercast'"}`},
		{"POST", inferPath, strings.Repeat(" ", 4<<20+1), 413,
			`{"error":"Request body too large"}`},
	} {
		if w := call(h, tt.method, tt.path, tt.body); w.Code != tt.code ||
			!strings.HasPrefix(w.Body.String(), tt.want) {
			t.Errorf("%s %s: got %d %s, want %d %s", tt.method, tt.path, w.Code, w.Body, tt.code,
				tt.want)
		}
	}
}
