package predict_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"tickercast/predict"
)

func TestRecover(t *testing.T) {
	var told error
	h := predict.Recover(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
		panic("broken")
	}), func(_ *http.Request, err error) { told = err })
	w := call(h, "GET", "/", "")
	if w.Code != 500 || w.Body.String() != `{"detail":"Internal Server Error"}` {
		t.Errorf("got %d %s, want a 500", w.Code, w.Body)
	}
	if told == nil || !strings.Contains(told.Error(), "broken") ||
		!strings.Contains(told.Error(), "front_test.go") {
		t.Errorf("got %v, want the panic and its stack", told)
	}
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Error("an abort did not pass through")
		}
	}()
	call(h, "GET", "/abort", "")
}

// TestNamedPathsHideWildcards: GET /predict/batch is not a request for a ticker of that name.
func TestNamedPathsHideWildcards(t *testing.T) {
	h := predict.Front(newHandler(t))
	for _, tt := range []struct{ method, path, allow string }{
		{"GET", "/predict/batch", "POST"},
		{"HEAD", "/predict/batch", "POST"},
		{"OPTIONS", "/predict/batch", "POST"},
		{"DELETE", "/predict/batch", "POST"},
		{"OPTIONS", "/predict/A", "GET, HEAD"},
		{"POST", "/predict/A", "GET, HEAD"},
		{"GET", "/predict", "POST"},
	} {
		w := call(h, tt.method, tt.path, "")
		if got := w.Header().Get("Allow"); w.Code != 405 || got != tt.allow {
			t.Errorf("%s %s: got %d, Allow %q, want 405 and %q", tt.method, tt.path, w.Code, got,
				tt.allow)
		}
	}
	if w := call(h, "GET", "/predict/A", ""); w.Code != 200 {
		t.Errorf("GET /predict/A: got %d, want 200", w.Code)
	}
	// A path with both GET and POST hides nothing, and its GET answers HEAD.
	mux := http.NewServeMux()
	for _, pattern := range []string{"GET /both", "POST /both", "GET /{any}"} {
		mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
	}
	both := predict.Front(mux)
	for _, method := range []string{"GET", "HEAD", "POST"} {
		if w := call(both, method, "/both", ""); w.Code != 200 {
			t.Errorf("%s /both: got %d, want 200", method, w.Code)
		}
	}
}

func TestInferPathsWithoutRoute(t *testing.T) {
	h := predict.Front(newHandler(t))
	for _, tt := range []struct {
		method, path, body string
		code               int
		want               string
	}{
		{"POST", "/v2/models/tickercast/versions/1/infer", `{`, 404, `{"detail":"Not Found"}`},
		{"GET", inferPath, ``, 405, `{"detail":"Method Not Allowed"}`},
		{"GET", "/v2/models/tickercast/", ``, 307, ""}, // to the path without the slash
	} {
		w := call(h, tt.method, tt.path, tt.body)
		if w.Code != tt.code || w.Body.String() != tt.want {
			t.Errorf("%s %s: got %d %s, want %d %s", tt.method, tt.path, w.Code, w.Body, tt.code,
				tt.want)
		}
	}
}
