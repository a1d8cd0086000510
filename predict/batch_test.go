package predict_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

var batchItems = []string{
	`{"ticker":"AAPL"}`, `{"ticker":"nvda","days_ahead":3,"confidence_interval":0.85}`,
	`{"ticker":"ZZ"}`, `{}`, `null`, `5`, `[]`, `"x"`,
	`{"ticker":"A","days_ahead":"2"}`, `{"ticker":"A","days_ahead":0,"confidence_interval":2}`,
	`{"ticker":"A","levels":[0.8,0.9]}`,
	`{"ticker":"\ud800"}`, `{"ticker":"é","x":{"y":[1,2,{"z":null}]}}`,
	`{"ticker":"A","ticker":"AAPL"}`, `{ "ticker" : "MSFT" }`,
	`{"ticker":"A","as_of":"2024-01-02"}`, `{"ticker":"A","history":[1]}`,
}

// singleAnswer is the answer of POST /predict to an item in the form that it has in a batch.
func singleAnswer(h http.Handler, item string) string {
	w := call(h, "POST", "/predict", item)
	if w.Code == 200 {
		return `{"predictions":` + w.Body.String() + `}`
	}
	return fmt.Sprintf(`{"error":{"status":%d,%s}`, w.Code, w.Body.String()[1:])
}

func TestBatchEqualsSingles(t *testing.T) {
	h := newHandler(t)
	var want []string
	for _, item := range batchItems {
		want = append(want, singleAnswer(h, item))
	}
	list := strings.Join(batchItems, ",")
	for _, body := range []string{
		`{"requests":[` + list + `]}`,
		" {\n\"requests\" : [ " + strings.Join(batchItems, " ,\n ") + " ] } ",
		`{"x":1,"requests":[` + list + `]}`,                 // read as a whole
		`{"requests":5,"requests":[` + list + `],"y":null}`, // the last one counts
		"\ufeff" + `{"requests":[` + list + `]}`,
	} {
		if got := call(h, "POST", "/predict/batch",
			body).Body.String(); got != `{"results":[`+strings.Join(want, ",")+`]}` {
			t.Errorf("%.60s: got\n%s\nwant the singles' answers\n%s", body, got,
				strings.Join(want, ",\n"))
		}
	}
	w := call(h, "POST", "/predict/batch", `{"requests":[`+list+`]}`, "Accept",
		"text/html, Application/X-NDJSON;q=0.9")
	if got := w.Body.String(); got != strings.Join(want, "\n")+"\n" ||
		w.Header().Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("NDJSON: got %s %s", w.Header().Get("Content-Type"), got)
	}
}

func TestBatchRefusals(t *testing.T) {
	h := newHandler(t)
	issue := func(typ, loc, msg, input, ctx string) string {
		return `{"detail":[{"type":"` + typ + `","loc":` + loc + `,"msg":"` + msg + `","input":` +
			input + ctx + `}]}`
	}
	const object = "Input should be a valid dictionary or object to extract fields from"
	many := strings.TrimSuffix(strings.Repeat(`{"ticker":"A"},`, 1001), ",")
	for _, tt := range []struct {
		body string
		code int
		want string
	}{
		{``, 422, issue("missing", `["body"]`, "Field required", "null", "")},
		{`null`, 422, issue("model_attributes_type", `["body"]`,
			"Input should be a valid dictionary or object to extract fields from", "null", "")},
		{`[]`, 422, issue("model_attributes_type", `["body"]`, object, "[]", "")},
		{`{}`, 422, issue("missing", `["body","requests"]`, "Field required", "{}", "")},
		{`{"requests":{}}`, 422, issue("list_type", `["body","requests"]`,
			"Input should be a valid list", "{}", "")},
		{`{"requests":[{"ticker":"A"},]}`, 422,
			issue("json_invalid", `["body",28]`, "JSON decode error", "{}",
				`,"ctx":{"error":"Expecting value"}`)},
		{`{"requests":[{"ticker":"A"}]`, 422,
			issue("json_invalid", `["body",28]`, "JSON decode error", "{}",
				`,"ctx":{"error":"Expecting ',' delimiter"}`)},
		{`{"requests":[{"ticker":"A"}]}x`, 422,
			issue("json_invalid", `["body",29]`, "JSON decode error", "{}",
				`,"ctx":{"error":"Extra data"}`)},
		{`{"requests":[{"ticker":"A"},{"x":"` + "\xff" + `"}]}`, 400,
			`{"detail":"There was an error parsing the body"}`},
		{`{"requests":[` + strings.Repeat("[", 99) + strings.Repeat("]", 99) + `]}`, 400,
			`{"detail":"There was an error parsing the body"}`},
		{`{"requests":[` + many + `]}`, 422,
			`{"detail":[{"type":"too_long","loc":["body","requests"],"msg":"List should have at most 1000 items after validation, not 1001",`},
		{`{"requests":[` + strings.Repeat(" ", 4<<20) + `]}`, 413,
			`{"detail":"Request body too large"}`},
	} {
		w := call(h, "POST", "/predict/batch", tt.body)
		if got := w.Body.String(); w.Code != tt.code || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%.60s: got %d %.300s, want %d %s", tt.body, w.Code, got, tt.code, tt.want)
		}
	}
	for body, want := range map[string]string{
		`{"requests":[]}`:   `{"results":[]}`,
		`{"requests":[ ] }`: `{"results":[]}`,
		`{"requests":[` + strings.TrimSuffix(strings.Repeat(`{"ticker":"ZZ"},`, 1000), ",") +
			`]}`: `{"results":[` +
			strings.TrimSuffix(strings.Repeat(`{"error":{"status":404,"detail":"Unknown ticker 'ZZ'"}},`, 1000), ",") + `]}`,
	} {
		if got := call(h, "POST", "/predict/batch", body).Body.String(); got != want {
			t.Errorf("%.60s: got %.300s", body, got)
		}
	}
}

// FuzzBatch compares decodeStream with decodeTree, which one more key forces.
func FuzzBatch(f *testing.F) {
	f.Add([]byte(strings.Join(batchItems, ",")))
	for _, item := range batchItems {
		f.Add([]byte(item))
		f.Add([]byte(item + "," + item + ",]"))
	}
	h := newHandler(f)
	f.Fuzz(func(t *testing.T, list []byte) {
		scanned := call(h, "POST", "/predict/batch", `{"requests":[`+string(list)+`]}`)
		whole := call(h, "POST", "/predict/batch", `{"requests":[`+string(list)+`],"z":0}`)
		if !json.Valid(scanned.Body.Bytes()) {
			t.Fatalf("%q: the answer is no JSON: %s", list, scanned.Body)
		}
		if scanned.Code != whole.Code || scanned.Code == 200 &&
			!bytes.Equal(scanned.Body.Bytes(), whole.Body.Bytes()) {
			t.Errorf("%q: got %d %s, want %d %s", list, scanned.Code, scanned.Body, whole.Code,
				whole.Body)
		}
	})
}

// BenchmarkBatch answers 1000 one-day requests for four tickers from the cache.
func BenchmarkBatch(b *testing.B) {
	var body bytes.Buffer
	body.WriteString(`{"requests":[`)
	for i := range 1000 {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"ticker":%q,"days_ahead":1,"confidence_interval":0.%d}`,
			[]string{"A", "AAPL", "MSFT", "NVDA"}[i%4], 80+i%20)
	}
	body.WriteString(`]}`)
	s := newService(b)
	r := mustRequest(body.Bytes())
	w := discard{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		r.Body.(*rewindable).Reset(body.Bytes())
		s.ServeBatch(w, r)
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "predictions/s")
}

type rewindable struct{ *bytes.Reader }

func (*rewindable) Close() error { return nil }

func mustRequest(body []byte) *http.Request {
	r, err := http.NewRequest("POST", "/predict/batch", nil)
	if err != nil {
		panic(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.ContentLength = int64(len(body))
	r.Body = &rewindable{bytes.NewReader(body)}
	return r
}

// TestBatchAllocations: what a batch allocates does not grow with its requests.
func TestBatchAllocations(t *testing.T) {
	s := newService(t)
	w := discard{http.Header{}}
	count := func(n int) float64 {
		body := []byte(`{"requests":[` + strings.TrimSuffix(strings.Repeat(`{"ticker":"A"},`, n),
			",") + `]}`)
		r := mustRequest(body)
		return testing.AllocsPerRun(50, func() {
			r.Body.(*rewindable).Reset(body)
			s.ServeBatch(w, r)
		})
	}
	// Under the race detector a sync.Pool drops buffers at random.
	if few, many := count(20), count(1000); many > few+20 {
		t.Errorf("got %v allocations for 20 requests and %v for 1000, want the same", few, many)
	}
}
