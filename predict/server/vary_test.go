package server_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tickercast/predict/server"
)

// TestVary: each answer names the headers that it depends on, for caches in between.
func TestVary(t *testing.T) {
	onEveryRoad(t, func(t *testing.T, road road) {
		const byKey, coding = "Authorization, X-API-Key", "Accept-Encoding"
		open := start(t, road.on(inMemory()), nil)
		file := tempFile(t, "keys", keysOf("alice: key-of-alice"))
		keyed := start(t, road.on(inMemory()), func(c *server.Config) {
			c.KeysFile, c.CORSOrigins = file, []string{"https://a.example"}
		})
		for _, tt := range []struct {
			method, path, body, want, wantKeyed string
		}{
			{"GET", "/predict/AAPL", "", "Accept, Prefer", byKey + ", Accept, Prefer"},
			{"HEAD", "/predict/AAPL", "", "Accept, Prefer", byKey + ", Accept, Prefer"},
			{"GET", "/predict/AAPL?format=csv", "", "Accept, Prefer", byKey + ", Accept, Prefer"},
			{"GET", "/predict/NOPE", "", "Accept, Prefer", byKey + ", Accept, Prefer"},
			{"POST", batchPath, batchOf(aForecast), "Accept, Accept-Encoding, Prefer",
				"Accept, Accept-Encoding, Prefer"},
			{"POST", batchPath, "{}", "Accept, Accept-Encoding, Prefer",
				"Accept, Accept-Encoding, Prefer"},
			{"GET", "/tickers", "", coding, byKey + ", " + coding},
			{"GET", "/tickers/AAPL", "", coding, byKey + ", " + coding},
			{"GET", "/model", "", coding, byKey + ", " + coding},
			{"POST", inferPath, inferenceOf(1), coding, coding},
			{"GET", "/openapi.json", "", coding, coding},
			{"POST", "/predict", aForecast, "", ""},
			{"GET", "/health", "", "", ""},
		} {
			for range 2 { // with and without the cache
				resp, _ := open.public.ask(t, tt.method, tt.path, tt.body)
				require.Equal(t, tt.want, strings.Join(resp.Header["Vary"], ", "), "%+v", tt)
				resp, _ = keyed.public.ask(t, tt.method, tt.path, tt.body,
					"X-API-Key: key-of-alice")
				require.Equal(t, strings.TrimSuffix("Origin, "+tt.wantKeyed, ", "),
					strings.Join(resp.Header["Vary"], ", "), "with keys: %+v", tt)
			}
		}
		for path, want := range map[string]string{"/predict/AAPL": "Origin, " + byKey,
			"/health": "Origin"} {
			resp, _ := keyed.public.ask(t, "GET", path, "")
			require.Equal(t, want, strings.Join(resp.Header["Vary"], ", "), "without a key: %s",
				path)
		}
		resp, _ := keyed.admin.ask(t, "GET", "/metrics", "")
		require.Equal(t, coding, resp.Header.Get("Vary"))
	})
}
