package predict

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"tickercast/model"
	"tickercast/model/calibrate"
	"tickercast/model/market"
)

// TestFailures: a fault of ours is a 500 that says nothing, and Config.Failed gets its cause with
// the request.
func TestFailures(t *testing.T) {
	broken := errors.New("broken")
	var got []Failure
	s, err := New(Config{
		Slot:   func(context.Context, int) (func(), error) { return nil, broken },
		Failed: func(f Failure) { got = append(got, f) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m, err := model.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	panel, err := market.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	mk, err := market.New(t.Context(), panel, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Swap(t.Context(), calibrate.Fixed(m), mk); err != nil {
		t.Fatal(err)
	}
	s.state.Load().tickers = nil // computing an answer panics
	mux := http.NewServeMux()
	mux.HandleFunc("POST /predict", s.ServePredict)
	mux.HandleFunc("GET /predict/{ticker}", s.ServeTicker)
	mux.HandleFunc("POST /predict/batch", s.ServeBatch)
	mux.HandleFunc("POST /v2/models/{name}/infer", s.ServeModelInfer)
	for _, c := range []struct {
		method, path, pattern string
		body                  string
		panics                bool
	}{
		{"POST", "/predict", "POST /predict", `{"ticker":"AAPL"}`, true},
		{"POST", "/predict", "POST /predict", strings.Repeat(" ", 2000), false},
		{"GET", "/predict/AAPL", "GET /predict/{ticker}", "", true},
		{"POST", "/predict/batch", "POST /predict/batch", `{"requests":[]}`, false},
		{"POST", "/v2/models/tickercast/infer", "POST /v2/models/{name}/infer",
			`{}` + strings.Repeat(" ", 256), false},
	} {
		got = nil
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		w.Header().Set("X-Request-Id", "id-7") // by the server, in front of the handler
		mux.ServeHTTP(w, r)
		if body := w.Body.String(); w.Code != 500 || body != `{"detail":"Internal Server Error"}` &&
			body != `{"error":"Internal Server Error"}` {
			t.Errorf("%s %s: got %d %s, want a 500 that says nothing", c.method, c.path, w.Code,
				body)
		}
		if len(got) != 1 || got[0].ID != "id-7" || got[0].Method != c.method ||
			got[0].Pattern != c.pattern || errors.Is(got[0].Err, broken) == c.panics ||
			c.panics && !strings.Contains(got[0].Err.Error(), "panic") {
			t.Errorf("%s %s: Failed got %+v", c.method, c.path, got)
		}
	}
}

// TestErrorHeader: what WriteError sends is Header and AppendJSON.
func TestErrorHeader(t *testing.T) {
	for _, tt := range []struct {
		e    *Error
		want map[string]string
	}{
		{&Error{Status: 400, Detail: "Bad Request"}, nil},
		{ErrOverload(), map[string]string{"Retry-After": "1"}},
		{errTooLarge(), map[string]string{"Connection": "close"}},
		{&Error{Status: 401, Detail: "Not authenticated", Challenge: "Bearer"},
			map[string]string{"WWW-Authenticate": "Bearer"}},
		{&Error{Status: 404, Detail: strings.Repeat("x", 3000)},
			map[string]string{"Content-Length": "3013"}},
	} {
		w := httptest.NewRecorder()
		WriteError(w, httptest.NewRequest("GET", "/", nil), tt.e)
		if w.Code != tt.e.Status || w.Body.String() != string(tt.e.AppendJSON(nil)) {
			t.Errorf("%+v: got %d %s", tt.e, w.Code, w.Body)
		}
		sent, header := w.Header(), tt.e.Header()
		if sent.Get("Content-Type") != "application/json" || len(sent) != 1+len(tt.want) {
			t.Errorf("%+v: sent %v, want JSON and %v", tt.e, sent, tt.want)
		}
		for k, v := range tt.want {
			if sent.Get(k) != v {
				t.Errorf("%+v: sent %v, want %v", tt.e, sent, tt.want)
			}
		}
		sent.Del("Content-Length")
		if !maps.EqualFunc(sent, header, slices.Equal) {
			t.Errorf("%+v: Header is %v, sent %v", tt.e, header, sent)
		}
	}
}

// TestRedactedIsACopy: several clients may be given one error.
func TestRedactedIsACopy(t *testing.T) {
	s := Service{cfg: Config{RedactInput: true}}
	e := errMissingBody()
	before := string(e.AppendJSON(nil))
	if got := s.PublicError(Failure{Err: e}); got.Issues[0].Input != nil {
		t.Errorf("got %s, want no input", got.AppendJSON(nil))
	}
	if after := string(e.AppendJSON(nil)); after != before {
		t.Errorf("the error was changed from %s to %s", before, after)
	}
}
