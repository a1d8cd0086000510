package server_test

import (
	"net/http"
	"os"
	"strings"
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
			header string
			want   int
		}{
			{"Host: evil.example", 403}, {"Host: evil.example:9090", 403},
			{"Host: localhost.evil.example", 403}, {"Host: 127.0.0.1.evil.example", 403},
			{"Host: ", 403},
			{"Host: localhost.", 403}, {"Host: localhost:evil.example", 403},
			{"Host: localhost:80@evil.example", 400}, {"Host: user@127.0.0.1", 400},
			{"Host: 127.0.0.1.", 403}, {"Host: 2130706433", 403}, {"Host: 127.1", 403},
			{"Host: ]127.0.0.1[", 403}, {"Host: [127.0.0.1", 403}, {"Host: []", 403},
			{"Host: [::1]:9090x", 403}, {"Host: a.localhost", 403},
			{"Host: localhost\r\nOrigin: http://localhost\r\nOrigin: http://evil.example", 403},
			{"Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site", 403},
			{"Sec-Fetch-Site: CROSS-SITE", 403}, {"Origin: http://127.0.0.1.", 403},
			{"Origin: https://127.0.0.1", 403}, {"Origin: http://127.0.0.1:80", 403},
			{"Host: 127.0.0.1\r\nHost: evil.example", 400},
			{"Host: localhost:9090", 200}, {"Host: LOCALHOST", 200},
			{"Host: 127.0.0.1", 200}, {"Host: 10.1.2.3:9090", 200},
			{"Host: [::1]:9090", 200}, {"Host: [::1]", 200},
			{"Origin: http://127.0.0.1:3000", 403}, {"Origin: null", 403},
			{"Origin: https://evil.example", 403},
			{"Sec-Fetch-Site: cross-site", 403}, {"Sec-Fetch-Site: same-site", 403},
			{"Sec-Fetch-Site: same-origin", 200}, {"Sec-Fetch-Site: none", 200},
			{"User-Agent: curl/8", 200},
		} {
			for _, what := range []string{"POST /-/reload", "GET /metrics", "GET /readyz"} {
				method, path, _ := strings.Cut(what, " ")
				resp := r.admin.raw(t, method, path, tt.header)
				if resp.StatusCode != tt.want { // 400 is net/http's own
					t.Errorf("%s with %q: got %d, want %d", what, tt.header, resp.StatusCode,
						tt.want)
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

// TestDetailsNeedTheToken asks for what is wrong on a port with a token: probes learn that
// something is, and only operators what a file holds.
func TestDetailsNeedTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const token = "a-token-of-operators"
		path := tempFile(t, "prices.csv", pricesCSV(100, "ACME"))
		r := start(t, inMemory(), func(c *server.Config) {
			from(path)(c)
			c.AdminTokenFile = tempFile(t, "token", token)
		})
		require.NoError(t, os.WriteFile(path, []byte("s3cret,contents\n"), 0o644))
		r.hangUp()
		const reasons = `{"status":"ready","reasons":["prices: the last reload was refused"]}`
		for _, header := range []string{"A: b", "X-Api-Key: " + token + "s"} {
			resp, body := r.admin.ask(t, "GET", "/readyz", "", header)
			require.Equal(t, http.StatusOK, resp.StatusCode)
			require.Equal(t, reasons, body)
		}
		_, body := r.admin.ask(t, "GET", "/readyz", "", "Authorization: Bearer "+token)
		require.Contains(t, body, path)
		require.Contains(t, body, "s3cret")
	})
}

// TestNoSniff: every answer of both ports, on every path, keeps browsers from guessing its type.
func TestNoSniff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), func(c *server.Config) {
			c.CORSOrigins = []string{"https://a.example"}
		})
		guarded := start(t, inMemory(), func(c *server.Config) {
			c.AdminTokenFile = tempFile(t, "token", "a-token-of-operators")
			c.KeysFile = tempFile(t, "keys", strings.Repeat("ab", 32))
		})
		const preflight = "Access-Control-Request-Method: POST"
		for _, p := range []port{r.public, r.admin, guarded.public, guarded.admin} {
			resp, _ := p.ask(t, "GET", "/openapi.json", "")
			etag := "If-None-Match: " + resp.Header.Get("Etag")
			for _, path := range []string{"/health", "/readyz", "/predict/AAPL", "/predict/NOPE",
				"/nowhere", "/docs", "/docs/", "//x", "/openapi.json", "/metrics", "/-/reload", "/v2",
				"/debug/pprof/", "/debug/pprof/none", "/" + strings.Repeat("x", 3000)} {
				for _, method := range []string{"GET", "HEAD", "POST", "OPTIONS", "PUT"} {
					for _, header := range []string{"Host: localhost", "Host: a.example", etag,
						"Origin: https://a.example", "Origin: https://b.example"} {
						resp, _ := p.ask(t, method, path, "", header, preflight)
						require.Equal(t, []string{"nosniff"},
							resp.Header["X-Content-Type-Options"], "%s %s with %s: %d", method,
							path, header, resp.StatusCode)
					}
				}
			}
		}
		for _, body := range []string{aForecast, `{}`, strings.Repeat(" ", 1<<20)} {
			resp, _ := r.public.ask(t, "POST", "/predict", body) // the fast lane, net/http
			require.Equal(t, []string{"nosniff"}, resp.Header["X-Content-Type-Options"],
				resp.StatusCode)
		}
	})
}
