package server_test

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/model/calibrate"
	"tickercast/model/market"
	"tickercast/predict/server"
)

// TestStart looks at a server that is still loading: it answers what needs no data, and ends by a
// signal, by its context, or by an error of loading.
func TestStart(t *testing.T) {
	for name, tt := range map[string]struct {
		end  func(*running, chan error)
		want string
	}{
		"SIGTERM":   {func(r *running, _ chan error) { r.stop <- syscall.SIGTERM }, ""},
		"interrupt": {func(r *running, _ chan error) { r.stop <- os.Interrupt }, ""},
		"context":   {func(r *running, _ chan error) { r.cancel() }, ""},
		"error": {func(_ *running, fail chan error) { fail <- errors.New("no disk") },
			"no disk"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fail := make(chan error)
				n := inMemory()
				r := launch(t, n, func(c *server.Config) {
					c.Load = func(ctx context.Context) (*calibrate.Yearly, *market.Market, error) {
						select {
						case err := <-fail:
							return nil, nil, err
						case <-ctx.Done():
							return nil, nil, ctx.Err()
						}
					}
				})
				synctest.Wait()
				asksWhileLoading(t, r)
				c := r.public.connect(t) // that asks nothing
				tt.end(r, fail)
				if err := r.end(); tt.want != "" {
					require.ErrorContains(t, err, tt.want)
				} else {
					require.NoError(t, err)
				}
				_, err := c.Read(make([]byte, 1))
				require.Error(t, err, "a connection is open after the end")
				_, err = n.dial(n.public)
				require.Error(t, err, "something still listens")
				require.NotContains(t, r.log.String(), "drain", "nothing was served")
			})
		})
	}
}

// asksWhileLoading wants what a server without data answers.
func asksWhileLoading(t *testing.T, r *running) {
	t.Helper()
	for _, path := range []string{"/livez", "/health", "/docs", "/openapi.json",
		"/v2/health/live"} {
		status, _ := r.public.get(t, path)
		require.Equal(t, 200, status, path)
	}
	for _, p := range []port{r.public, r.admin} {
		status, body := p.get(t, "/readyz")
		require.Equal(t, 503, status)
		require.Equal(t, `{"status":"not ready","reasons":["loading"]}`, body)
	}
	status, _ := r.admin.get(t, "/metrics")
	require.Equal(t, 200, status)
	for _, path := range []string{"/predict/AAPL", "/tickers", "/model"} {
		resp, body := r.public.ask(t, "GET", path, "")
		require.Equal(t, 503, resp.StatusCode, "%s: %s", path, body)
		require.Equal(t, "1", resp.Header.Get("Retry-After"), path)
	}
	for _, path := range []string{"/predict", "/predict/batch"} {
		body := aForecast
		if path == "/predict/batch" {
			body = `{"requests":[` + aForecast + `]}`
		}
		resp, body := r.public.ask(t, "POST", path, body)
		require.Equal(t, 503, resp.StatusCode, "%s: %s", path, body)
		require.Equal(t, "1", resp.Header.Get("Retry-After"), path)
	}
}

// TestReadyAfterASlowStart has loading take longer than a minute. The log says what the server is
// doing, and forecasts are answered afterwards, on connections from before too.
func TestReadyAfterASlowStart(t *testing.T) {
	onEveryRoad(t, func(t *testing.T, road road) {
		keys := tempFile(t, "keys", keysOf("alice: a-key"))
		r := launch(t, road.on(inMemory()), func(c *server.Config) {
			c.KeysFile = keys
			c.Load = func(ctx context.Context) (*calibrate.Yearly, *market.Market, error) {
				time.Sleep(70 * time.Second)
				return loadEmbedded(ctx)
			}
		})
		synctest.Wait()
		status, _ := r.public.post(t, "/predict", aForecast)
		require.Equal(t, 401, status, "keys count from the first request on")
		resp, _ := r.public.ask(t, "POST", "/predict", aForecast, "X-API-Key: a-key")
		require.Equal(t, 503, resp.StatusCode)
		time.Sleep(65 * time.Second)
		require.Contains(t, r.log.String(), `"msg":"loading","addr":"192.0.2.1:80"`)
		status, body := r.public.get(t, "/readyz")
		require.Equal(t, 503, status, body)
		r.awaitReady()
		resp, body = r.public.ask(t, "POST", "/predict", aForecast, "X-API-Key: a-key")
		require.Equal(t, 200, resp.StatusCode, body)
		status, body = r.public.get(t, "/readyz")
		require.Equal(t, 200, status, body)
	})
}
