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

const inferPath = "/v2/models/tickercast/infer"

// outputTensor is an output as a client reads it.
type outputTensor struct {
	Name, Datatype string
	Shape          []int
	Data           []any
}

func callInfer(t *testing.T, h http.Handler, body string) (outputs map[string]outputTensor,
	answer *httptest.ResponseRecorder) {
	t.Helper()
	answer = call(h, "POST", inferPath, body)
	if answer.Code != 200 {
		t.Fatalf("%.200s: got %d %s", body, answer.Code, answer.Body)
	}
	var got struct{ Outputs []outputTensor }
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s", err, answer.Body)
	}
	outputs = map[string]outputTensor{}
	for _, o := range got.Outputs {
		outputs[o.Name] = o
	}
	return outputs, answer
}

// TestInferIsPredict compares every number with what POST /predict says for the same item.
func TestInferIsPredict(t *testing.T) {
	h := newHandler(t)
	items := []struct {
		ticker     string
		days       int
		confidence float64
	}{{"AAPL", 3, 0.8}, {"nvda", 30, 0.95}, {"A", 1, 0.987}}
	outputs, _ := callInfer(t, h, `{"inputs":[
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
		// Columns that only other items asked for are forecasts, too.
		w := call(h, "POST", "/predict",
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
	s := newService(t)
	h := handlerOf(s)
	m, _ := s.Current()
	_, w := callInfer(t, h,
		`{"id":"é\n42","parameters":{"a":[]},"inputs":[{"name":"ticker","datatype":"BYTES","shape":[1],"data":["A"]}],"outputs":[{"name":"predicted_price"},{"name":"date"}]}`)
	var row []struct {
		Date  string
		Price json.Number `json:"predicted_price"`
	}
	json.Unmarshal(call(h, "POST", "/predict", `{"ticker":"A"}`).Body.Bytes(), &row)
	want := `{"model_name":"tickercast","model_version":"` + m.Version() +
		`","id":"é\n42","outputs":[` +
		`{"name":"predicted_price","datatype":"FP64","shape":[1,1],"data":[` +
		row[0].Price.String() + `]},` +
		`{"name":"date","datatype":"BYTES","shape":[1,1],"data":["` + row[0].Date + `"]}]}`
	if w.Body.String() != want || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("got %s %s, want %s", w.Header().Get("Content-Type"), w.Body, want)
	}
}

// TestInferForms: the forms in which clients of the protocol send a request mean the same.
func TestInferForms(t *testing.T) {
	h := newHandler(t)
	ticker := `{"name":"ticker","datatype":"BYTES","shape":[2],"data":["A","MSFT"]}`
	plain := `{"inputs":[` + ticker +
		`,{"name":"days_ahead","datatype":"INT32","shape":[2],"data":[2,2]},{"name":"confidence_interval","datatype":"FP64","shape":[2],"data":[0.99,0.99]}]}`
	_, want := callInfer(t, h, plain)
	for _, body := range []string{
		`{"inputs":[` + ticker + `,{"name":"days_ahead","datatype":"INT64","shape":[1],"data":[2]},{"name":"confidence_interval","datatype":"FP32","shape":[1],"data":[0.9900000095367432]}],"outputs":[]}`,
		`{"id":null,"outputs":null,"inputs":[{"name":"ticker","datatype":"BYTES","shape":[2,1],"data":[["A"],["MSFT"]]},{"name":"days_ahead","datatype":"UINT8","shape":[2,1],"data":[2,[2]]},{"name":"confidence_interval","datatype":"FP64","shape":[1,1],"data":[9.9e-1]}]}`,
		`{"inputs":[{"name":"days_ahead","datatype":"INT8","shape":[1],"data":[2]},{"name":"confidence_interval","datatype":"FP32","shape":[1],"data":[0.99]},{"name":"ticker","datatype":"BYTES","shape":[2],"data":["\u0041","msft"]}]}`,
	} {
		if _, got := callInfer(t, h, body); got.Body.String() != want.Body.String() {
			t.Errorf("%s: got %s, want %s", body, got.Body, want.Body)
		}
	}
	if w := call(h, "POST", inferPath, plain, "Content-Type",
		"text/plain"); w.Body.String() != want.Body.String() {
		t.Errorf("without a Content-Type of JSON: got %d %s", w.Code, w.Body)
	}
}

// TestInferLimit: 1000 items of 30 days are answered, 1001 are not, and a client that has left gets
// no answer.
func TestInferLimit(t *testing.T) {
	h := newHandler(t)
	body := inferBody(1000)
	outputs, _ := callInfer(t, h, body)
	if o := outputs["confidence_upper"]; fmt.Sprint(o.Shape) != "[1000 30]" ||
		len(o.Data) != 30000 || o.Data[0] != o.Data[4*30] {
		t.Errorf("got %v with %d values, want [1000 30]", o.Shape, len(o.Data))
	}
	if w := call(h, "POST", inferPath, inferBody(1001)); w.Code != 400 ||
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
	s := newService(t, func(cfg *predict.Config) { cfg.Version = "v1.2.3" })
	h := handlerOf(s)
	m, _ := s.Current()
	version := m.Version()
	metadata := `{"name":"tickercast","versions":["` + version + `"],"platform":"tickercast_go","inputs":[` +
		`{"name":"ticker","datatype":"BYTES","shape":[-1]},{"name":"days_ahead","datatype":"INT32","shape":[-1]},{"name":"confidence_interval","datatype":"FP64","shape":[-1]}],"outputs":[` +
		`{"name":"date","datatype":"BYTES","shape":[-1,-1]},{"name":"predicted_price","datatype":"FP64","shape":[-1,-1]},` +
		`{"name":"confidence_lower","datatype":"FP64","shape":[-1,-1]},{"name":"confidence_upper","datatype":"FP64","shape":[-1,-1]}]}`
	for path, want := range map[string]string{
		"/v2":                         `{"name":"tickercast","version":"v1.2.3","extensions":["binary_tensor_data"]}`,
		"/v2/health/live":             `{"live":true}`,
		"/v2/health/ready":            `{"live":true,"ready":true}`,
		"/v2/models/tickercast":       metadata,
		"/v2/models/tickercast/ready": `{"name":"tickercast","live":true,"ready":true}`,
		"/v2/models":                  `{"models":["tickercast"]}`,
		"/v2/models/tickercast/versions/" + version:            metadata,
		"/v2/models/tickercast/versions/" + version + "/ready": `{"name":"tickercast","live":true,"ready":true}`,
	} {
		if got := call(h, "GET", path, ""); got.Body.String() != want {
			t.Errorf("%s: got %d %s, want %s", path, got.Code, got.Body, want)
		}
	}
}

func TestInferReady(t *testing.T) {
	ready := false
	h := newHandler(t, func(cfg *predict.Config) {
		cfg.Ready = func(bool) (bool, []string) { return ready, []string{"draining", "and more"} }
	})
	for path, want := range map[string]string{
		"/v2/health/live":             `{"live":true}`,
		"/v2/health/ready":            `{"live":true,"ready":false,"error":"not ready: draining; and more"}`,
		"/v2/models/tickercast/ready": `{"name":"tickercast","live":true,"ready":false,"error":"not ready: draining; and more"}`,
	} {
		w := call(h, "GET", path, "")
		if code := map[bool]int{true: 200, false: 503}[strings.HasSuffix(path,
			"live")]; w.Code != code || w.Body.String() != want {
			t.Errorf("%s: got %d %s, want %d %s", path, w.Code, w.Body, code, want)
		}
	}
	ready = true // reasons are still given
	if w := call(h, "GET", "/v2/health/ready", ""); w.Code != 200 ||
		w.Body.String() != `{"live":true,"ready":true}` {
		t.Errorf("ready: got %d %s", w.Code, w.Body)
	}
}

// FuzzInfer: any body gets an answer of the protocol, with as many values as its shape says.
func FuzzInfer(f *testing.F) {
	f.Add([]byte(inferBody(3)))
	f.Add([]byte(`{"id":"\ud800","inputs":[{"name":"ticker","datatype":"BYTES","shape":[2,1],"data":[["A"],"NVDA"]},{"name":"confidence_interval","datatype":"FP32","shape":[1],"data":[0.9900000095367432]}],"outputs":[{"name":"date"}]}`))
	f.Add([]byte(`{"inputs":[{"name":"ticker","datatype":"BYTES","shape":[1e0],"data":[[]]},null]}`))
	f.Add([]byte("{\"inputs\":[{\"name\":\"\xed\xa0\x80\"}]}"))
	h := newHandler(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		w := call(h, "POST", inferPath, string(body))
		var got struct {
			Error   *string
			Outputs []outputTensor
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

// BenchmarkInfer answers 1000 items of 30 days.
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
