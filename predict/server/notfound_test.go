package server_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestUnknownRoutes asks for paths and methods that have no route.
func TestUnknownRoutes(t *testing.T) {
	const notFound, notAllowed = `{"detail":"Not Found"}`, `{"detail":"Method Not Allowed"}`
	onEveryRoad(t, func(t *testing.T, road road) {
		r := start(t, road.on(inMemory()), nil)
		for _, tt := range []struct {
			method, path string
			status       int
			header, body string // Allow of a 405, Location of a 307
		}{
			// A path of its own hides the wildcard: GET /predict/batch asks for no ticker.
			{"GET", "/predict/batch", 405, "POST", notAllowed},
			{"GET", "/predict/b%61tch", 405, "POST", notAllowed},
			{"HEAD", "/predict/batch", 405, "POST", ""},
			{"OPTIONS", "/predict/batch", 405, "POST", notAllowed},
			{"DELETE", "/predict/batch", 405, "POST", notAllowed},
			{"OPTIONS", "/predict/A", 405, "GET, HEAD", notAllowed},
			{"POST", "/predict/A", 405, "GET, HEAD", notAllowed},
			{"GET", "/predict", 405, "POST", notAllowed},
			{"POST", "/tickers", 405, "GET, HEAD", notAllowed},
			{"POST", "/docs/app.js", 405, "GET, HEAD", notAllowed},
			{"GET", "/v2/models/tickercast/infer", 405, "POST", `{"error":"Method Not Allowed"}`},
			{"PUT", "/v2", 405, "GET, HEAD", `{"error":"Method Not Allowed"}`},
			{"GET", "/v2/nowhere", 404, "", `{"error":"Not Found"}`},
			{"POST", "/v2/models/tickercast/versions/1/load", 404, "", `{"error":"Not Found"}`},
			{"GET", "/v2/models//infer", 404, "", `{"error":"Not Found"}`},
			{"GET", "/v2x", 404, "", notFound},

			{"GET", "/predict/", 307, "../predict", ""},
			{"POST", "/predict/", 307, "../predict", ""},
			{"GET", "/predict/AAPL//?days_ahead=2", 307, "../../AAPL?days_ahead=2", ""},
			{"GET", "/tickers/A%3FB/", 307, "../A%3FB", ""},
			{"DELETE", "/health/", 307, "../health", ""},

			{"GET", "/", 404, "", notFound},
			{"GET", "/nowhere", 404, "", notFound},
			{"POST", "/nowhere/", 404, "", notFound},
			{"GET", "//health", 404, "", notFound},
			{"GET", "/./health", 404, "", notFound},
			{"GET", "/docs/../health", 404, "", notFound},
			{"GET", "/docs/../health/", 404, "", notFound},
			{"GET", "/predict/AAPL/more", 404, "", notFound},
			{"GET", "/metrics", 404, "", notFound},
			{"GET", "/debug/pprof/", 404, "", notFound},
			{"POST", "/-/reload", 404, "", notFound},
		} {
			what := tt.method + " " + tt.path
			resp, body := r.public.ask(t, tt.method, tt.path, "")
			require.Equal(t, tt.status, resp.StatusCode, what)
			require.Equal(t, tt.body, body, what)
			require.Equal(t, tt.header, resp.Header.Get("Allow")+resp.Header.Get("Location"), what)
			if tt.body != "" {
				require.Equal(t, "application/json", resp.Header.Get("Content-Type"), what)
			}
		}
		status, _ := r.public.get(t, "/predict/AAPL")
		require.Equal(t, 200, status)
		resp, body := r.public.ask(t, "HEAD", "/tickers", "")
		require.Equal(t, 200, resp.StatusCode)
		require.Empty(t, body)
	})
}
