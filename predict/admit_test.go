package predict_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tickercast/predict"
)

func post(t *testing.T, h http.HandlerFunc, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "POST", path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h(w, r)
	return w
}

// TestOverload refuses what would have to be computed, and nothing else.
func TestOverload(t *testing.T) {
	overloaded, asked, inside := false, 0, 0
	s := newService(t, func(cfg *predict.Config) {
		cfg.Admit = func(context.Context) (func(), error) {
			asked++
			if overloaded {
				return nil, predict.ErrOverload()
			}
			inside++
			return func() { inside-- }, nil
		}
	})
	const known, unknown = `{"ticker":"AAPL"}`, `{"ticker":"AAPL","days_ahead":2}`
	history := `{"ticker":"X","history":[` + strings.TrimSuffix(strings.Repeat("100,101,", 20),
		",") + `]}`
	want := post(t, s.ServePredict, "/predict", known)
	if want.Code != 200 || asked != 1 || inside != 0 {
		t.Fatalf("a miss: status %d, asked %d times, %d still inside; want 200, once, none",
			want.Code, asked, inside)
	}
	overloaded = true
	if got := post(t, s.ServePredict, "/predict", known); got.Code != 200 ||
		got.Body.String() != want.Body.String() || asked != 1 {
		t.Errorf("a hit: status %d, asked %d times; want 200 without asking", got.Code, asked)
	}
	for name, w := range map[string]*httptest.ResponseRecorder{
		"miss":    post(t, s.ServePredict, "/predict", unknown),
		"levels":  post(t, s.ServePredict, "/predict", `{"ticker":"AAPL","levels":[0.9]}`),
		"history": post(t, s.ServePredict, "/predict", history),
	} {
		h := w.Header()
		if w.Code != 503 || w.Body.String() != `{"detail":"Service Unavailable"}` ||
			h.Get("Retry-After") != "1" || h.Get("Connection") != "" ||
			h.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %v %s; want a 503 with Retry-After", name, w.Code, h, w.Body)
		}
	}
	if p, ok := s.Plain([]byte(unknown)); !ok {
		t.Error("a request that will be refused is not plain")
	} else if _, err := s.AnswerPlain(p); !errors.As(err, new(*predict.Error)) {
		t.Errorf("AnswerPlain of what is refused: got %v, want the refusal", err)
	}
	if w := post(t, s.ServePredict, "/predict", `{"ticker":"nope"}`); w.Code != 404 {
		t.Errorf("an unknown ticker: status %d, want 404: saying so costs nothing", w.Code)
	}
	batch := post(t, s.ServeBatch, "/predict/batch", `{"requests":[`+known+`,`+unknown+`]}`)
	if got, want := batch.Body.String(),
		`{"results":[{"predictions":`+want.Body.String()+`},{"error":{"status":503,"detail":"Service Unavailable"}}]}`; batch.Code != 200 || got != want {
		t.Errorf("a batch: %d %s; want %s", batch.Code, got, want)
	}
	overloaded = false
	if w := post(t, s.ServePredict, "/predict", unknown); w.Code != 200 || inside != 0 {
		t.Errorf("afterwards: status %d, %d inside; want 200 and none", w.Code, inside)
	}
}

// TestCostly refuses calls that ask for much, unread where it can be known before, and no others.
func TestCostly(t *testing.T) {
	full, refuse, asked, inside := false, false, 0, 0
	s := newService(t, func(cfg *predict.Config) {
		cfg.Full = func() bool { asked++; return full }
		cfg.Costly = func() (func(), error) {
			if refuse {
				return nil, predict.ErrOverload()
			}
			inside++
			return func() { inside-- }, nil
		}
	})
	infer := func(w http.ResponseWriter, r *http.Request) {
		r.SetPathValue("name", "tickercast")
		s.ServeModelInfer(w, r)
	}
	history := `{"ticker":"X","history":[` + strings.TrimSuffix(strings.Repeat("100,101,", 200),
		",") + `]}`
	calls := []struct {
		name, path, body string
		h                http.HandlerFunc
	}{
		{"batch", "/predict/batch", `{"requests":[{"ticker":"AAPL"}]}`, s.ServeBatch},
		{"inference", "/v2/models/tickercast/infer",
			`{"inputs":[{"name":"ticker","datatype":"BYTES","shape":[1],"data":["AAPL"]}]}`, infer},
		{"history", "/predict", history, s.ServePredict},
	}
	for _, step := range []struct {
		full, refuse bool
		want         int
	}{{false, false, 200}, {true, false, 503}, {false, true, 503}, {false, false, 200}} {
		full, refuse = step.full, step.refuse
		for _, c := range calls {
			asked = 0
			w := post(t, c.h, c.path, c.body)
			if w.Code != step.want || inside != 0 || asked != 1 {
				t.Errorf("%s, full %v, refused %v: %d %s, %d still inside, asked %d times; want "+
					"%d, none, once", c.name, full, refuse, w.Code, w.Body, inside, asked,
					step.want)
			}
			if h := w.Header(); w.Code == 503 &&
				(h.Get("Retry-After") != "1" || h.Get("Connection") != "") {
				t.Errorf("%s: refused with %v; want Retry-After, and the connection kept", c.name,
					h)
			}
		}
	}
	full, refuse = true, true
	if w := post(t, s.ServePredict, "/predict", `{"ticker":"AAPL","days_ahead":7}`); w.Code != 200 {
		t.Errorf("a plain request: status %d, want 200", w.Code)
	}
}

// TestOverloadIsShared refuses all who wait for one computation, who are given one error between
// them.
func TestOverloadIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refuse := make(chan struct{})
		s := newService(t, func(cfg *predict.Config) {
			cfg.RedactInput = true
			cfg.Admit = func(context.Context) (func(), error) {
				<-refuse
				return nil,
					predict.ErrOverload()
			}
		})
		defer s.Close()
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if w := post(t, s.ServePredict, "/predict", `{"ticker":"A"}`); w.Code != 503 {
					t.Errorf("got %d %s, want 503", w.Code, w.Body)
				}
			})
			all.Go(func() {
				const want = `{"results":[{"error":{"status":503,"detail":"Service Unavailable"}}]}`
				if w := post(t, s.ServeBatch, "/predict/batch",
					`{"requests":[{"ticker":"A"}]}`); w.Body.String() != want {
					t.Errorf("got %d %s, want %s", w.Code, w.Body, want)
				}
			})
		}
		synctest.Wait()
		close(refuse)
		all.Wait()
	})
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, func(cfg *predict.Config) {
			cfg.Timeout = time.Second
			cfg.Admit = func(context.Context) (func(), error) {
				time.Sleep(400 * time.Millisecond) // a slow forecast
				return func() {}, nil
			}
		})
		defer s.Close()
		const two, three = `{"requests":[{"ticker":"AAPL"},{"ticker":"AAPL","days_ahead":2}]}`,
			`{"requests":[{"ticker":"MSFT"},{"ticker":"MSFT","days_ahead":2},{"ticker":"MSFT","days_ahead":3},{"ticker":"MSFT","days_ahead":4}]}`
		if w := post(t, s.ServeBatch, "/predict/batch", two); w.Code != 200 {
			t.Errorf("in time: status %d, want 200", w.Code)
		}
		start := time.Now()
		w := post(t, s.ServeBatch, "/predict/batch", three)
		if w.Code != 504 || w.Body.String() != `{"detail":"Gateway Timeout"}` {
			t.Errorf("too slow: %d %s, want a 504", w.Code, w.Body)
		}
		if took := time.Since(start); took > 1200*time.Millisecond {
			t.Errorf("answered after %v: something began after its time", took)
		}
	})
}

// TestFailedKnowsTheRequest: what went wrong is told with the request, by whose id it is found in
// the logs.
func TestFailedKnowsTheRequest(t *testing.T) {
	broken := errors.New("broken")
	var told []string
	s := newService(t, func(cfg *predict.Config) {
		cfg.Admit = func(context.Context) (func(), error) { return nil, broken }
		cfg.Failed = func(r *http.Request, err error) {
			if !errors.Is(err, broken) {
				t.Errorf("told of %v, want %v", err, broken)
			}
			told = append(told, r.URL.Path)
		}
	})
	h := http.NewServeMux()
	h.Handle("/", handlerOf(s))
	h.HandleFunc("POST /v2/models/{name}/infer", s.ServeModelInfer)
	var want []string
	for path, body := range map[string]string{
		"/predict": `{"ticker":"AAPL"}`, "/predict/AAPL": "",
		"/predict/batch": `{"requests":[{"ticker":"AAPL"}]}`,
		inferPath:        `{"inputs":[{"name":"ticker","datatype":"BYTES","shape":[1],"data":["AAPL"]}]}`,
	} {
		method := "POST"
		if body == "" {
			method = "GET"
		}
		if w := do(h, method, path, body); w.Code != 500 ||
			strings.Contains(w.Body.String(), "broken") {
			t.Errorf("%s: got %d %s, want a 500 that says nothing", path, w.Code, w.Body)
		}
		want = append(want, path)
	}
	if !slices.Equal(told, want) {
		t.Errorf("told of %q, want %q", told, want)
	}
}
