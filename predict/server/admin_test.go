package server_test

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"tickercast/predict/server"
)

// TestPagesCannotWorkTheAdminPort sends what a browser sends for a page of another origin, or of a
// name that has been made to resolve to loopback.
func TestPagesCannotWorkTheAdminPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), nil)
		token := "a-token-of-operators"
		guarded := start(t, inMemory(), func(c *server.Config) {
			c.AdminTokenFile = tempFile(t, "token", token)
		})
		for _, tt := range []struct {
			header  string
			refused bool
		}{
			{"Host: evil.example", true}, {"Host: evil.example:9090", true},
			{"Host: localhost.evil.example", true}, {"Host: 127.0.0.1.evil.example", true},
			{"Host: ", true},
			{"Host: localhost:9090", false}, {"Host: LOCALHOST", false},
			{"Host: 127.0.0.1", false}, {"Host: 10.1.2.3:9090", false},
			{"Host: [::1]:9090", false}, {"Host: [::1]", false},
			{"Origin: http://127.0.0.1:3000", true}, {"Origin: null", true},
			{"Origin: https://evil.example", true},
			{"Sec-Fetch-Site: cross-site", true}, {"Sec-Fetch-Site: same-site", true},
			{"Sec-Fetch-Site: same-origin", false}, {"Sec-Fetch-Site: none", false},
			{"User-Agent: curl/8", false},
		} {
			for method, path := range map[string]string{"POST": "/-/reload", "GET": "/metrics"} {
				resp := r.admin.raw(t, method, path, tt.header)
				want := http.StatusOK
				if tt.refused {
					want = http.StatusForbidden
					if tt.header == "Host: " {
						want = http.StatusBadRequest // net/http's own
					}
				}
				if resp.StatusCode != want && !(tt.refused && resp.StatusCode == 403) {
					t.Errorf("%s %s with %q: got %d, want %d", method, path, tt.header,
						resp.StatusCode, want)
				}
			}
		}
		require.Equal(t, "9", r.metric(`reloads_total{result="ok"}`), "one for each that may")

		// With a token a page can do nothing without it, and no name is wrong.
		resp := guarded.admin.raw(t, "GET", "/metrics", "Host: metrics.example",
			"Authorization: Bearer "+token)
		require.Equal(t, http.StatusOK, resp.StatusCode)
	})
}

// TestNoSniff: every answer of both ports, on every path, keeps browsers from guessing its type.
func TestNoSniff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), nil)
		for _, path := range []string{"/health", "/predict/AAPL", "/predict/NOPE", "/nowhere",
			"/docs", "/openapi.json", "/metrics"} {
			for _, p := range []port{r.public, r.admin} {
				resp, _ := p.ask(t, "GET", path, "", "Host: localhost")
				require.Equal(t, []string{"nosniff"}, resp.Header["X-Content-Type-Options"], path)
			}
		}
		for _, body := range []string{aForecast, `{}`} { // the fast lane, net/http
			resp, _ := r.public.ask(t, "POST", "/predict", body)
			require.Equal(t, []string{"nosniff"}, resp.Header["X-Content-Type-Options"], body)
		}
	})
}
