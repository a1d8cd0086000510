package predict

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tickercast/model"
	"tickercast/model/market"
)

// TestFailures: a fault of ours is a 500 that says nothing, and Config.Failed gets its cause with
// the request.
func TestFailures(t *testing.T) {
	broken := errors.New("broken")
	var got []Failure
	s, err := New(Config{
		Slot:   func(context.Context) (func(), error) { return nil, broken },
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
	if err := s.Swap(m, mk); err != nil {
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
		{"POST", "/v2/models/tickercast/infer", "POST /v2/models/{name}/infer", `{}`, false},
	} {
		got = nil
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Request-Id", "id-7")
		w := httptest.NewRecorder()
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
	for _, e := range []*Error{
		{Status: 400, Detail: "Bad Request"},
		ErrOverload(),
		errTooLarge(),
		{Status: 401, Detail: "Not authenticated", Challenge: "Bearer"},
		{Status: 404, Detail: strings.Repeat("x", 3000)},
	} {
		w := httptest.NewRecorder()
		WriteError(w, e)
		if w.Code != e.Status || w.Body.String() != string(e.AppendJSON(nil)) {
			t.Errorf("%+v: got %d %s", e, w.Code, w.Body)
		}
		sent, want := w.Header(), e.Header()
		sent.Del("Content-Length")
		if len(sent) != len(want) {
			t.Errorf("%+v: sent %v, want %v", e, sent, want)
		}
		for k := range want {
			if sent.Get(k) != want.Get(k) {
				t.Errorf("%+v: sent %v, want %v", e, sent, want)
			}
		}
	}
}
