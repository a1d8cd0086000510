package cors_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tickercast/predict/internal/cors"
)

func serve(t *testing.T, origins []string, method string,
	header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	p, err := cors.New(origins)
	if err != nil {
		t.Fatal(err)
	}
	h := p.Wrap(
		http.HandlerFunc(func(w http.ResponseWriter,
			_ *http.Request) {
			w.WriteHeader(http.StatusTeapot)
		}),
		http.HandlerFunc(func(w http.ResponseWriter,
			_ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
		}),
	)
	r := httptest.NewRequest(method, "/predict", nil)
	for name, values := range header {
		r.Header[name] = values
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestAnswers(t *testing.T) {
	list := []string{"https://a.example", "http://localhost:3000"}
	all := []string{"*"}
	const allow, vary = "Access-Control-Allow-Origin", "Vary"
	preflight := func(origin string) http.Header {
		return http.Header{"Origin": {origin}, "Access-Control-Request-Method": {"POST"},
			"Access-Control-Request-Headers": {"content-type"}}
	}
	for _, tt := range []struct {
		name    string
		origins []string
		method  string
		header  http.Header
		status  int
		want    map[string]string
	}{
		{"no browser", list, "POST", nil, 418, map[string]string{allow: "", vary: "Origin"}},
		{"listed", list, "POST", http.Header{"Origin": {list[1]}}, 418,
			map[string]string{allow: list[1], vary: "Origin"}},
		{"not listed", list, "POST", http.Header{"Origin": {"https://b.example"}}, 418,
			map[string]string{allow: "", vary: "Origin", "Access-Control-Expose-Headers": ""}},
		{"a prefix", list, "POST", http.Header{"Origin": {"https://a.example.evil"}}, 418,
			map[string]string{allow: ""}},
		{"null", list, "POST", http.Header{"Origin": {"null"}}, 418, map[string]string{allow: ""}},
		{"any", all, "POST", http.Header{"Origin": {"https://b.example"}}, 418,
			map[string]string{allow: "*", vary: ""}},
		{"any, no browser", all, "POST", nil, 418, map[string]string{allow: "", vary: ""}},
		{"preflight", list, "OPTIONS", preflight(list[0]), 204,
			map[string]string{allow: list[0], vary: "Origin",
				"Access-Control-Allow-Methods": "GET, HEAD, POST",
				"Access-Control-Max-Age":       "7200"}},
		{"preflight, any", all, "OPTIONS", preflight("https://b.example"), 204,
			map[string]string{allow: "*"}},
		{"preflight, not listed", list, "OPTIONS", preflight("https://b.example"), 400,
			map[string]string{allow: "", vary: "Origin"}},
		{"OPTIONS alone", list, "OPTIONS", nil, 418, nil},
		{"OPTIONS from a page, no preflight", list, "OPTIONS", http.Header{"Origin": {list[0]}},
			418, map[string]string{allow: list[0]}},
	} {
		w := serve(t, tt.origins, tt.method, tt.header)
		if w.Code != tt.status {
			t.Errorf("%s: status %d, want %d", tt.name, w.Code, tt.status)
		}
		for name, want := range tt.want {
			if got := strings.Join(w.Header()[name], "|"); got != want {
				t.Errorf("%s: %s is %q, want %q", tt.name, name, got, want)
			}
		}
		if w.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: credentials are allowed", tt.name)
		}
	}
	allowed := serve(t, list, "OPTIONS",
		preflight(list[0])).Header().Get("Access-Control-Allow-Headers")
	for _, name := range []string{"Content-Type", "Authorization", "X-Api-Key"} {
		if !strings.Contains(allowed, name) {
			t.Errorf("%s is not among the headers that a page may send: %s", name, allowed)
		}
	}
}

func TestBadOrigins(t *testing.T) {
	for _, o := range []string{
		"", "*", "example.com", "https://", "https://a.example/", "https://a.example/x",
		"https://a.example:443", "http://a.example:80",
		"https://A.example", "https://a.example?x", "https://user@a.example", "https://*.example",
		"null", "//a.example",
	} {
		if _, err := cors.New([]string{"https://ok.example", o}); err == nil {
			t.Errorf("origin %q is taken", o)
		}
	}
	if p, err := cors.New(nil); err != nil || p.Header() == nil {
		t.Errorf("an empty list does not mean no origin: %v, %v", p, err)
	}
}
