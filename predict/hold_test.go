package predict_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"tickercast/predict"
	"tickercast/predict/internal/limits"
)

// A heldWriter counts what its request holds, as the ResponseWriter of a server does. most is what
// that was at the first byte of the answer.
type heldWriter struct {
	http.ResponseWriter
	hold limits.Hold
	most int64
}

func (*heldWriter) Client() netip.Addr { return netip.Addr{} }
func (*heldWriter) Stop()              {}

func (w *heldWriter) WriteHeader(status int) {
	w.most = w.hold.Size()
	w.ResponseWriter.WriteHeader(status)
}

// largeCalls hold more than is free, by the way in which they do.
func largeCalls() map[string]*http.Request {
	list := func(n int, item string) string {
		return `{"requests":[` + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + `]}`
	}
	zipped := func(path, body string) *http.Request {
		r := httptest.NewRequest("POST", path, strings.NewReader(zip(body)))
		r.Header.Set("Content-Encoding", "gzip")
		return r
	}
	accepting := func(header, value string) *http.Request {
		r := httptest.NewRequest("POST", "/predict/batch",
			strings.NewReader(list(200, `{"ticker":"A","days_ahead":30}`)))
		r.Header.Set(header, value)
		return r
	}
	tickers := `["A"` + strings.Repeat(`,"A"`, 199) + `]`
	return map[string]*http.Request{
		"body":          httptest.NewRequest("POST", "/predict", blanks(20_000)),
		"tree":          httptest.NewRequest("POST", "/predict", strings.NewReader("["+strings.Repeat("0,", 4000)+"0]")),
		"batch body":    httptest.NewRequest("POST", "/predict/batch", blanks(20_000)),
		"batch tree":    httptest.NewRequest("POST", "/predict/batch", strings.NewReader(`{"x":0,`+list(900, `{"ticker":"AAPL"}`)[1:])),
		"batch item":    httptest.NewRequest("POST", "/predict/batch", strings.NewReader(list(1, `{"ticker":"A","x":[`+strings.Repeat("0,", 4000)+`0]}`))),
		"batch answer":  httptest.NewRequest("POST", "/predict/batch", strings.NewReader(list(200, `{"ticker":"A","days_ahead":30}`))),
		"batch errors":  httptest.NewRequest("POST", "/predict/batch", strings.NewReader(list(300, `5`))),
		"tensors":       httptest.NewRequest("POST", inferPath, strings.NewReader(`{"inputs":[{"name":"ticker","datatype":"BYTES","shape":[200],"data":`+tickers+`}]}`)),
		"tensors' tree": httptest.NewRequest("POST", inferPath, strings.NewReader("["+strings.Repeat("0,", 4000)+"0]")),
		"tensors in bytes": httptest.NewRequest("POST", inferPath, strings.NewReader(`{"parameters":{"binary_data_output":true},"inputs":[{"name":"ticker","datatype":"BYTES","shape":[200],"data":`+tickers+`},`+
			`{"name":"days_ahead","datatype":"INT8","shape":[1],"data":[30]}]}`)),
		"inflated body":   zipped("/predict", strings.Repeat(" ", 20_000)),
		"inflated batch":  zipped("/predict/batch", strings.Repeat(" ", 20_000)),
		"inflater":        zipped("/predict", `{"ticker":"AAPL"}`),
		"batch as CSV":    accepting("Accept", "text/csv"),
		"batch, deflated": accepting("Accept-Encoding", "gzip"),
		"errors": httptest.NewRequest("POST", "/predict", strings.NewReader(`{"ticker":"A","history":["`+
			strings.Repeat("x", 400)+strings.Repeat(`","`+strings.Repeat("y", 400), 35)+`"]}`)),
	}
}

func blanks(n int) *strings.Reader { return strings.NewReader(strings.Repeat(" ", n)) }

// TestLargeCallsAreCounted: each call that holds much is counted, and refused while there is no
// room for it. Calls that hold little go on.
func TestLargeCallsAreCounted(t *testing.T) {
	for name := range largeCalls() {
		l := limits.NewLimiter(64 << 20)
		mux := newHandler(t, func(cfg *predict.Config) {
			cfg.Hold = func(w http.ResponseWriter) *limits.Hold { return &w.(*heldWriter).hold }
		})
		do := func(r *http.Request) (*httptest.ResponseRecorder, int64) {
			answer := httptest.NewRecorder()
			w := &heldWriter{ResponseWriter: answer}
			l.Open(&w.hold, w, limits.FreeBytes)
			r.Header.Set("Content-Type", "application/json")
			mux.ServeHTTP(w, r)
			size := answer.Body.Len()
			if answer.Header().Get("Content-Encoding") != "" {
				size += len(unzip(t, answer.Body.Bytes())) // which is held too
			}
			if held := w.most; size > limits.FreeBytes && held < int64(size) {
				t.Errorf("%s: %d bytes are counted while %d are written", name, held, size)
			}
			w.hold.Release()
			if used := l.Used(); used != l.Total() && used != 0 {
				t.Fatalf("%s: %d bytes are in use afterwards", name, used)
			}
			return answer, w.most
		}
		calm, _ := do(largeCalls()[name])
		if calm.Code >= 500 {
			t.Errorf("%s: got %d %.200s", name, calm.Code, calm.Body)
		}
		other := &heldWriter{}
		l.Open(&other.hold, other, 0)
		if err := other.hold.Grow(int(l.Total())); err != nil {
			t.Fatal(err)
		}
		refused, _ := do(largeCalls()[name])
		if refused.Code != 503 || refused.Header().Get("Retry-After") != "1" {
			t.Errorf("%s, without room: got %d %v %.200s, want a 503 with Retry-After", name,
				refused.Code, refused.Header(), refused.Body)
		}
		for _, r := range []*http.Request{
			httptest.NewRequest("POST", "/predict", strings.NewReader(`{"ticker":"AAPL"}`)),
			httptest.NewRequest("POST", "/predict/batch",
				strings.NewReader(`{"requests":[{"ticker":"AAPL"}]}`)),
			httptest.NewRequest("GET", "/tickers?limit=10", nil),
			httptest.NewRequest("GET", "/model", nil),
		} {
			if w, _ := do(r); w.Code != 200 {
				t.Errorf("%s: %s %s without room: got %d %s, want 200", name, r.Method, r.URL,
					w.Code, w.Body)
			}
		}
		other.hold.Release()
		if w, _ := do(largeCalls()[name]); w.Code != calm.Code {
			t.Errorf("%s, when there is room again: got %d, want %d", name, w.Code, calm.Code)
		}
	}
}
