package server_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tickercast/model/calibrate"
	"tickercast/model/market"
	"tickercast/predict/server"
)

// loadBroken loads a market that makes every forecast of AAPL panic, once it is served: in the
// cache, or for requests that the cache does not answer in the handler.
func loadBroken(t testing.TB) func(context.Context) (*calibrate.Yearly, *market.Market, error) {
	d := near(t, 100, "AAPL")
	d.market.Tickers()[0].Index = 1 << 20
	return d.load
}

// TestFaultsAreFoundByID: the log has a line for each 500, with the id that the client was given.
func TestFaultsAreFoundByID(t *testing.T) {
	onEveryRoad(t, func(t *testing.T, road road) {
		r := start(t, road.on(inMemory()), func(c *server.Config) {
			c.Load = loadBroken(t)
		})
		for i, tt := range []struct{ method, path, body, msg, pattern string }{
			{"POST", "/predict", aForecast, "answered 500", "POST /predict"},
			{"GET", "/predict/AAPL", "", "answered 500", "GET /predict/{ticker}"},
			{"POST", "/predict", `{"ticker":"AAPL","levels":[0.9]}`, "panic", "POST /predict"},
		} {
			resp, body := r.public.ask(t, tt.method, tt.path, tt.body)
			require.Equal(t, 500, resp.StatusCode, body)
			require.Equal(t, `{"detail":"Internal Server Error"}`, body)
			lines := strings.Split(strings.TrimSpace(r.log.String()), "\n")
			require.Len(t, lines, i+1)
			var got map[string]any
			require.NoError(t, json.Unmarshal([]byte(lines[i]), &got))
			require.Equal(t, "ERROR", got["level"])
			require.Equal(t, tt.msg, got["msg"])
			require.Equal(t, resp.Header.Get(requestID), got["id"])
			require.Equal(t, tt.method, got["method"])
			require.Equal(t, tt.pattern, got["pattern"])
			require.Contains(t, got["error"], "out of range")
			if tt.msg == "panic" {
				require.Contains(t, got["error"], ".go:", "the stack")
			}
		}
		require.Equal(t, "1", r.metric("panics_total"))
		status, _ := r.public.get(t, "/livez")
		require.Equal(t, 200, status, "the server goes on")
		require.Equal(t, "2",
			r.metric(`http_requests_total{code="500",method="POST",route="/predict"}`))
	})
}
