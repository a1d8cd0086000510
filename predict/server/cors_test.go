package server_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tickercast/predict/server"
)

func TestCORS(t *testing.T) {
	preflight := func(origin string) []string {
		return []string{"Access-Control-Request-Method: POST",
			"Access-Control-Request-Headers: content-type", "Origin: " + origin}
	}
	const good, bad = "https://a.example", "https://b.example"
	onEveryRoad(t, func(t *testing.T, road road) {
		r := start(t, road.on(inMemory()),
			func(c *server.Config) { c.CORSOrigins = []string{good} })
		resp, body := r.public.ask(t, "OPTIONS", "/predict", "", preflight(good)...)
		require.Equal(t, 204, resp.StatusCode, body)
		require.Equal(t, good, resp.Header.Get("Access-Control-Allow-Origin"))
		require.NotEmpty(t, resp.Header.Get(requestID))
		resp, body = r.public.ask(t, "OPTIONS", "/predict", "", preflight(bad)...)
		require.Equal(t, 400, resp.StatusCode)
		require.Equal(t, `{"detail":"Disallowed CORS origin"}`, body)
		resp, _ = r.public.ask(t, "OPTIONS", "/predict", "")
		require.Equal(t, 405, resp.StatusCode)
		resp, _ = r.public.ask(t, "POST", "/predict", aForecast, "Origin: "+good)
		require.Equal(t, 200, resp.StatusCode)
		require.Equal(t, good, resp.Header.Get("Access-Control-Allow-Origin"))
		resp, _ = r.public.ask(t, "POST", "/predict", `{}`) // by net/http
		require.Equal(t, "Origin", resp.Header.Get("Vary"))

		r.client.CloseIdleConnections()
		resp, _ = r.public.ask(t, "POST", "/predict", aForecast) // by the fast lane
		require.Equal(t, 200, resp.StatusCode)
		require.Equal(t, "Origin", resp.Header.Get("Vary"))
	})
	onEveryRoad(t, func(t *testing.T, road road) {
		r := start(t, road.on(inMemory()), nil)
		resp, body := r.public.ask(t, "OPTIONS", "/predict", "", preflight(good)...)
		require.Equal(t, 405, resp.StatusCode, "CORS is off by default")
		require.Equal(t, "POST", resp.Header.Get("Allow"))
		require.Equal(t, `{"detail":"Method Not Allowed"}`, body)
	})
}
