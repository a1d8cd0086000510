package server_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tickercast/predict/server"
)

func TestRequestIDs(t *testing.T) {
	onEveryRoad(t, func(t *testing.T, road road) {
		r := start(t, road.on(inMemory()), nil)
		id := func(method, path, body string, headers ...string) string {
			resp, _ := r.public.ask(t, method, path, body, headers...)
			return resp.Header.Get(requestID)
		}
		first := id("POST", "/predict", aForecast)
		require.Regexp(t, `^[0-9a-f]{32}$`, first)
		require.NotEqual(t, first, id("POST", "/predict", aForecast))
		require.Equal(t, "mine-1", id("POST", "/predict", aForecast, "X-Request-Id: mine-1"))
		if road.lane && !road.http2 { // proxies put an id on every request
			require.Equal(t, "0", r.metric("fastlane_handed_over_total"))
		}
		require.Equal(t, "mine-2", id("GET", "/nowhere", "", "X-Request-Id: mine-2"))
		for _, bad := range [][]string{{"X-Request-Id: a b"},
			{"X-Request-Id: " + strings.Repeat("a", 129)},
			{"X-Request-Id: a", "X-Request-Id: b"}} {
			for _, body := range []string{aForecast, "{}"} {
				require.Regexp(t, `^[0-9a-f]{32}$`, id("POST", "/predict", body, bad...), bad)
			}
		}
	})
}

func TestRedactInput(t *testing.T) {
	for _, redact := range []bool{false, true} {
		onEveryRoad(t, func(t *testing.T, road road) {
			r := start(t, road.on(inMemory()), func(c *server.Config) { c.RedactInput = redact })
			status, body := r.public.post(t, "/predict", `{"ticker":"AAPL","days_ahead":77}`)
			require.Equal(t, 422, status)
			require.Equal(t, redact, !strings.Contains(body, "77"), body)
		})
	}
}
