package predict_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tickercast/predict"
)

// inferHandler has the routes of the Open Inference Protocol as package main registers them.
func inferHandler(t testing.TB, change ...func(*predict.Config)) (http.Handler, *predict.Service) {
	s := newService(t, change...)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /predict", s.ServePredict)
	mux.HandleFunc("GET /v2", s.ServeServerMetadata)
	mux.HandleFunc("GET /v2/health/live", s.ServeServerLive)
	mux.HandleFunc("GET /v2/health/ready", s.ServeServerReady)
	mux.HandleFunc("GET /v2/models/{name}", s.ServeModelMetadata)
	mux.HandleFunc("GET /v2/models/{name}/ready", s.ServeModelReady)
	mux.HandleFunc("POST /v2/models/{name}/infer", s.ServeModelInfer)
	return predict.Front(mux), s
}

const inferPath = "/v2/models/tickercast/infer"

// A tensor is an output as a client reads it.
type tensor struct {
	Name, Datatype string
	Shape          []int
	Data           []any
}

func infer(t *testing.T, h http.Handler, body string) (outputs map[string]tensor,
	answer *httptest.ResponseRecorder) {
	t.Helper()
	answer = do(h, "POST", inferPath, body)
	if answer.Code != 200 {
		t.Fatalf("%.200s: got %d %s", body, answer.Code, answer.Body)
	}
	var got struct{ Outputs []tensor }
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s", err, answer.Body)
	}
	outputs = map[string]tensor{}
	for _, o := range got.Outputs {
		outputs[o.Name] = o
	}
	return outputs, answer
}

// TestInferIsPredict compares every number with what POST /predict says for the same item.
func TestInferIsPredict(t *testing.T) {
	h, _ := inferHandler(t)
	items := []struct {
		ticker     string
		days       int
		confidence float64
	}{{"AAPL", 3, 0.8}, {"nvda", 30, 0.95}, {"A", 1, 0.987}}
	outputs, _ := infer(t, h, `{"inputs":[
		{"name":"confidence_interval","datatype":"FP64","shape":[3],"data":[0.8,0.95,0.987]},
		{"name":"ticker","datatype":"BYTES","shape":[3],"data":["AAPL","nvda","A"]},
		{"name":"days_ahead","datatype":"INT32","shape":[3],"data":[3,30,1],"parameters":{"x":1}}]}`)
	for name, datatype := range map[string]string{"date": "BYTES", "predicted_price": "FP64",
		"confidence_lower": "FP64", "confidence_upper": "FP64"} {
		o := outputs[name]
		if o.Datatype != datatype || fmt.Sprint(o.Shape) != "[3 30]" || len(o.Data) != 90 {
			t.Fatalf("%s: got %s %v with %d values, want %s [3 30] with 90", name, o.Datatype,
				o.Shape, len(o.Data), datatype)
		}
	}
	for i, item := range items {
		// Also the days that only others asked for are forecasts, of this item's ticker and
		// confidence.
		w := do(h, "POST", "/predict",
			fmt.Sprintf(`{"ticker":%q,"days_ahead":30,"confidence_interval":%v}`, item.ticker,
				item.confidence))
		var rows []map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &rows); err != nil {
			t.Fatal(err)
		}
		for h, row := range rows {
			for name, o := range outputs {
				if got, want := o.Data[i*30+h], row[name]; got != want {
					t.Errorf("%s of %s, day %d: got %v, want %v", name, item.ticker, h+1, got, want)
				}
			}
		}
	}
}

func TestInferAnswerToTheByte(t *testing.T) {
	h, s := inferHandler(t)
	m, _ := s.Current()
	_, w := infer(t, h,
		`{"id":"é\n42","parameters":{"a":[]},"inputs":[{"name":"ticker","datatype":"BYTES","shape":[1],"data":["A"]}],"outputs":[{"name":"predicted_price"},{"name":"date"}]}`)
	var row []struct {
		Date  string
		Price json.Number `json:"predicted_price"`
	}
	json.Unmarshal(do(h, "POST", "/predict", `{"ticker":"A"}`).Body.Bytes(), &row)
	want := `{"model_name":"tickercast","model_version":"` + m.Version() +
		`","id":"é\n42","outputs":[` +
		`{"name":"predicted_price","datatype":"FP64","shape":[1,1],"data":[` +
		row[0].Price.String() + `]},` +
		`{"name":"date","datatype":"BYTES","shape":[1,1],"data":["` + row[0].Date + `"]}]}`
	if w.Body.String() != want || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("got %s %s, want %s", w.Header().Get("Content-Type"), w.Body, want)
	}
}

// TestInferForms: what clients of the protocol send in one form or another means the same.
func TestInferForms(t *testing.T) {
	h, _ := inferHandler(t)
	ticker := `{"name":"ticker","datatype":"BYTES","shape":[2],"data":["A","MSFT"]}`
	plain := `{"inputs":[` + ticker +
		`,{"name":"days_ahead","datatype":"INT32","shape":[2],"data":[2,2]},{"name":"confidence_interval","datatype":"FP64","shape":[2],"data":[0.99,0.99]}]}`
	_, want := infer(t, h, plain)
	for _, body := range []string{
		`{"inputs":[` + ticker + `,{"name":"days_ahead","datatype":"INT64","shape":[1],"data":[2]},{"name":"confidence_interval","datatype":"FP32","shape":[1],"data":[0.9900000095367432]}],"outputs":[]}`,
		`{"id":null,"outputs":null,"inputs":[{"name":"ticker","datatype":"BYTES","shape":[2,1],"data":[["A"],["MSFT"]]},{"name":"days_ahead","datatype":"UINT8","shape":[2,1],"data":[2,[2]]},{"name":"confidence_interval","datatype":"FP64","shape":[1,1],"data":[9.9e-1]}]}`,
		`{"inputs":[{"name":"days_ahead","datatype":"INT8","shape":[1],"data":[2]},{"name":"confidence_interval","datatype":"FP32","shape":[1],"data":[0.99]},{"name":"ticker","datatype":"BYTES","shape":[2],"data":["\u0041","msft"]}]}`,
	} {
		if _, got := infer(t, h, body); got.Body.String() != want.Body.String() {
			t.Errorf("%s: got %s, want %s", body, got.Body, want.Body)
		}
	}
	if w := do(h, "POST", inferPath, plain, "Content-Type",
		"text/plain"); w.Body.String() != want.Body.String() {
		t.Errorf("without a Content-Type of JSON: got %d %s", w.Code, w.Body)
	}
}

func TestInferRefusals(t *testing.T) {
	h, _ := inferHandler(t)
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
		{``, "the body is empty"},
		{`{"inputs":[}`, "the body is no JSON: Expecting value, at character 11"},
		{`[]`, "the body is no object"},
		{`{}`, "inputs is missing or no list"},
		{`{"inputs":null}`, "inputs is missing or no list"},
		{`{"inputs":[]}`, "input ticker is missing"},
		{`{"inputs":[1]}`, "an input is no object"},
		{`{"inputs":[{"name":1}]}`, "an input has no name"},
		{`{"inputs":[{"name":"price"}]}`,
			"unknown input 'price', there are ticker, days_ahead and confidence_interval"},
		{`{"id":1,"inputs":[]}`, "id is no string"},
		{one(`"shape":[1],"data":["A"]`), "input ticker has a datatype other than BYTES"},
		{one(`"datatype":"INT32","shape":[1],"data":["A"]`),
			"input ticker has a datatype other than BYTES"},
		{one(`"datatype":"BYTES","shape":[1]`), "input ticker has no data in form of a list"},
		{one(`"datatype":"BYTES","data":["A"]`), "input ticker has no shape"},
		{one(`"datatype":"BYTES","shape":[],"data":["A"]`),
			"input ticker has a shape other than [n] or [n, 1]"},
		{one(`"datatype":"BYTES","shape":[1,2],"data":["A","A"]`),
			"input ticker has a shape other than [n] or [n, 1]"},
		{one(`"datatype":"BYTES","shape":[1,1,1],"data":["A"]`),
			"input ticker has a shape other than [n] or [n, 1]"},
		{one(`"datatype":"BYTES","shape":[1,1,1,1,1],"data":["A"]`),
			"input ticker has a shape other than [n] or [n, 1]"},
		{one(`"datatype":"BYTES","shape":["1"],"data":["A"]`),
			"input ticker has a shape other than [n] or [n, 1]"},
		{one(`"datatype":"BYTES","shape":[0],"data":[]`),
			"input ticker has a length of 0, not 1 to 1000"},
		{one(`"datatype":"BYTES","shape":[-1],"data":["A"]`),
			"input ticker has a length of -1, not 1 to 1000"},
		{one(`"datatype":"BYTES","shape":[99999999999999999999],"data":["A"]`),
			"input ticker has a length of 9223372036854775807, not 1 to 1000"},
		{one(`"datatype":"BYTES","shape":[2],"data":["A"]`),
			"input ticker has 1 values where its shape says 2"},
		{one(`"datatype":"BYTES","shape":[1],"data":[["A"]]`),
			"input ticker, value 0: Input should be a valid string"},
		{one(`"datatype":"BYTES","shape":[1,1],"data":[["A","A"]]`),
			"input ticker, value 0: Input should be a valid string"},
		{one(`"datatype":"BYTES","shape":[1],"data":["ABCDEFGHIJK"]`),
			"input ticker, value 0: String should have at most 10 characters"},
		{one(`"datatype":"BYTES","shape":[1],"data":["\ud800"]`),
			"input ticker, value 0: Input should be a valid string, unable to parse raw data as " +
				"a unicode string"},
		{one(`"datatype":"BYTES","shape":[2],"data":["A","ZZ"]`),
			"input ticker, value 1: unknown ticker 'ZZ'"},
		{ticker(`,{"name":"ticker","datatype":"BYTES","shape":[1],"data":["A"]}]`),
			"input ticker is there twice"},
		{days(`"datatype":"FP64","shape":[1],"data":[1]`),
			"input days_ahead has a datatype other than INT32"},
		{days(`"datatype":"INT32","shape":[3],"data":[1,1,1]`),
			"input days_ahead has 3 values, not 1 or as many as ticker: 2"},
		{days(`"datatype":"INT32","shape":[2],"data":[1,31]`),
			"input days_ahead, value 1: Input should be less than or equal to 30"},
		{days(`"datatype":"INT32","shape":[1],"data":[0]`),
			"input days_ahead, value 0: Input should be greater than or equal to 1"},
		{days(`"datatype":"INT32","shape":[1],"data":[1.0]`),
			"input days_ahead, value 0: Input should be a valid integer"},
		{days(`"datatype":"INT32","shape":[1],"data":["1"]`),
			"input days_ahead, value 0: Input should be a valid integer"},
		{days(`"datatype":"INT32","shape":[1],"data":[1e999]`),
			"input days_ahead, value 0: Input should be a valid integer"},
		{confidence(`"datatype":"FP64","shape":[1],"data":["0.9"]`),
			"input confidence_interval, value 0: Input should be a valid number"},
		{confidence(`"datatype":"FP64","shape":[1],"data":[true]`),
			"input confidence_interval, value 0: Input should be a valid number"},
		{confidence(`"datatype":"FP64","shape":[1],"data":[0.9900000095367432]`),
			"input confidence_interval, value 0: Input should be less than or equal to 0.99"},
		{confidence(`"datatype":"FP32","shape":[1],"data":[1e999]`),
			"input confidence_interval, value 0: Input should be less than or equal to 0.99"},
		{confidence(`"datatype":"FP32","shape":[2],"data":[0.9,0.79]`),
			"input confidence_interval, value 1: Input should be greater than or equal to 0.8"},
		{ticker(`],"outputs":{}`), "outputs is no list"},
		{ticker(`],"outputs":["date"]`), "an output is no object"},
		{ticker(`],"outputs":[{}]`), "an output has no name"},
		{ticker(`],"outputs":[{"name":"` + strings.Repeat("é", 30) + `"}]`),
			"unknown output '" + strings.Repeat("é", 20) +
				"...', there are date, predicted_price, confidence_lower and confidence_upper"},
		{ticker(`],"outputs":[{"name":"date"},{"name":"date"}]`), "output date is asked for twice"},
	} {
		w := do(h, "POST", inferPath, tt.body)
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
		{"POST", "/v2/models/tickercast/versions/1/infer", `{`, 404, `{"detail":"Not Found"}`},
		{"GET", "/v2/models/other", ``, 404,
			`{"error":"unknown model 'other', there is 'tickercast'"}`},
		{"GET", "/v2/models/other/ready", ``, 404,
			`{"error":"unknown model 'other', there is 'tickercast'"}`},
		{"GET", "/v2/models/%ff", ``, 404, `{"error":"unknown model '` + "\\ufffd" +
			`', there is 'tickercast'"}`},
		{"POST", inferPath, strings.Repeat(" ", 1<<20+1), 413,
			`{"error":"Request body too large"}`},
		{"POST", inferPath, "{\"x\":\"\xff\"}", 400,
			`{"error":"There was an error parsing the body"}`},
		{"GET", inferPath, ``, 405, `{"detail":"Method Not Allowed"}`},
	} {
		if w := do(h, tt.method, tt.path, tt.body); w.Code != tt.code ||
			!strings.HasPrefix(w.Body.String(), tt.want) {
			t.Errorf("%s %s: got %d %s, want %d %s", tt.method, tt.path, w.Code, w.Body, tt.code,
				tt.want)
		}
	}
	if w := do(h, "POST", inferPath, `{}`, "Inference-Header-Content-Length", "2"); w.Code != 400 ||
		!strings.Contains(w.Body.String(), "binary tensors") {
		t.Errorf("binary: got %d %s, want 400", w.Code, w.Body)
	}
}

// TestInferLimit: a thousand items of thirty days are answered, one more is not, and nothing is
// when the client has left.
func TestInferLimit(t *testing.T) {
	h, _ := inferHandler(t)
	body := inferBody(1000)
	outputs, _ := infer(t, h, body)
	if o := outputs["confidence_upper"]; fmt.Sprint(o.Shape) != "[1000 30]" ||
		len(o.Data) != 30000 || o.Data[0] != o.Data[4*30] {
		t.Errorf("got %v with %d values, want [1000 30]", o.Shape, len(o.Data))
	}
	if w := do(h, "POST", inferPath, inferBody(1001)); w.Code != 400 ||
		w.Body.String() != `{"error":"input ticker has a length of 1001, not 1 to 1000"}` {
		t.Errorf("1001 items: got %d %.200s", w.Code, w.Body)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "POST", inferPath, strings.NewReader(body)))
	if w.Code == 200 {
		t.Errorf("the client has left: got %d and %d bytes", w.Code, w.Body.Len())
	}
}

func inferBody(n int) string {
	tickers := strings.Repeat(`"A","AAPL","MSFT","NVDA",`, (n+3)/4)
	tickers = strings.Join(strings.Split(tickers, ",")[:n], ",")
	return fmt.Sprintf(`{"inputs":[{"name":"ticker","datatype":"BYTES","shape":[%d],"data":[%s]},{"name":"days_ahead","datatype":"INT32","shape":[1],"data":[30]}]}`, n, tickers)
}

func TestInferMetadata(t *testing.T) {
	h, _ := inferHandler(t, func(cfg *predict.Config) { cfg.Version = "v1.2.3" })
	metadata := `{"name":"tickercast","platform":"tickercast_go","inputs":[` +
		`{"name":"ticker","datatype":"BYTES","shape":[-1]},{"name":"days_ahead","datatype":"INT32","shape":[-1]},{"name":"confidence_interval","datatype":"FP64","shape":[-1]}],"outputs":[` +
		`{"name":"date","datatype":"BYTES","shape":[-1,-1]},{"name":"predicted_price","datatype":"FP64","shape":[-1,-1]},` +
		`{"name":"confidence_lower","datatype":"FP64","shape":[-1,-1]},{"name":"confidence_upper","datatype":"FP64","shape":[-1,-1]}]}`
	for path, want := range map[string]string{
		"/v2":                         `{"name":"tickercast","version":"v1.2.3","extensions":[]}`,
		"/v2/health/live":             `{"live":true}`,
		"/v2/health/ready":            `{"live":true,"ready":true}`,
		"/v2/models/tickercast":       metadata,
		"/v2/models/tickercast/":      "", // to the path without the slash
		"/v2/models/tickercast/ready": `{"name":"tickercast","live":true,"ready":true}`,
	} {
		if got := do(h, "GET", path, ""); got.Body.String() != want {
			t.Errorf("%s: got %d %s, want %s", path, got.Code, got.Body, want)
		}
	}
}

func TestInferReady(t *testing.T) {
	ready := false
	h, _ := inferHandler(t, func(cfg *predict.Config) {
		cfg.Ready = func() (bool, []string) { return ready, []string{"draining", "and more"} }
	})
	for path, want := range map[string]string{
		"/v2/health/live":             `{"live":true}`,
		"/v2/health/ready":            `{"live":true,"ready":false,"error":"not ready: draining; and more"}`,
		"/v2/models/tickercast/ready": `{"name":"tickercast","live":true,"ready":false,"error":"not ready: draining; and more"}`,
	} {
		w := do(h, "GET", path, "")
		if code := map[bool]int{true: 200, false: 503}[strings.HasSuffix(path,
			"live")]; w.Code != code || w.Body.String() != want {
			t.Errorf("%s: got %d %s, want %d %s", path, w.Code, w.Body, code, want)
		}
	}
	ready = true // with something to say all the same
	if w := do(h, "GET", "/v2/health/ready", ""); w.Code != 200 ||
		w.Body.String() != `{"live":true,"ready":true}` {
		t.Errorf("ready: got %d %s", w.Code, w.Body)
	}
}

// FuzzInfer: any bytes get an answer of the protocol, and an accepted request as many values as it
// has a right to.
func FuzzInfer(f *testing.F) {
	f.Add([]byte(inferBody(3)))
	f.Add([]byte(`{"id":"\ud800","inputs":[{"name":"ticker","datatype":"BYTES","shape":[2,1],"data":[["A"],"NVDA"]},{"name":"confidence_interval","datatype":"FP32","shape":[1],"data":[0.9900000095367432]}],"outputs":[{"name":"date"}]}`))
	f.Add([]byte(`{"inputs":[{"name":"ticker","datatype":"BYTES","shape":[1e0],"data":[[]]},null]}`))
	f.Add([]byte("{\"inputs\":[{\"name\":\"\xed\xa0\x80\"}]}"))
	h, _ := inferHandler(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		w := do(h, "POST", inferPath, string(body))
		var got struct {
			Error   *string
			Outputs []tensor
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatalf("%q: the answer is no JSON: %v: %s", body, err, w.Body)
		}
		switch {
		case w.Code == 400 || w.Code == 413:
			if got.Error == nil || *got.Error == "" {
				t.Errorf("%q: got %d %s, want an error", body, w.Code, w.Body)
			}
		case w.Code != 200 || len(got.Outputs) == 0:
			t.Errorf("%q: got %d %s", body, w.Code, w.Body)
		}
		for _, o := range got.Outputs {
			if len(o.Shape) != 2 || len(o.Data) != o.Shape[0]*o.Shape[1] || o.Shape[0] > 1000 ||
				o.Shape[1] > 30 {
				t.Errorf("%q: %s has %d values and the shape %v", body, o.Name, len(o.Data),
					o.Shape)
			}
		}
	})
}

// BenchmarkInfer answers a thousand items of thirty days: divide by 30000 for a forecast of one
// day.
func BenchmarkInfer(b *testing.B) {
	body := []byte(inferBody(1000))
	s := newService(b)
	r := mustRequest(body)
	r.SetPathValue("name", "tickercast")
	w := discard{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		r.Body.(*rewindable).Reset(body)
		s.ServeModelInfer(w, r)
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "predictions/s")
}
