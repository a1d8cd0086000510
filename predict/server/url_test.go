package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/model/source"
	"tickercast/predict/server"
)

// TestPricesFromAURL has the server of prices change them, fail, and come back.
func TestPricesFromAURL(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds, as a URL is asked once a second")
	}
	type state struct {
		level  float64
		status int
	}
	var now atomic.Pointer[state]
	now.Store(&state{100, 200})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := now.Load()
		if s.status != 200 {
			w.WriteHeader(s.status)
			return
		}
		http.ServeContent(w, r, "", time.Unix(1_700_000_000+int64(s.level), 0),
			strings.NewReader(pricesCSV(s.level, "ACME")))
	}))
	defer upstream.Close()
	loader := source.NewLoader(source.Config{Prices: strings.Replace(upstream.URL, "//",
		"//anna:s3cret@", 1) + "/prices.csv?key=t0ken"})
	r := start(t, loopback(), func(c *server.Config) {
		c.Load, c.Watch, c.WatchInterval = loader.Load, loader.Watch(), 100*time.Millisecond
		c.DrainDelay = 0
	})
	healthy := `tickercast_last_reload_successful{resource="prices"}`
	eventually := func(what string, cond func() bool) {
		t.Helper()
		require.Eventually(t, cond, patience, 20*time.Millisecond, what)
	}
	serves := func(level float64) func() bool {
		return func() bool { p := r.priceOf("ACME"); return p > 0.95*level && p < 1.05*level }
	}
	eventually("the first prices", serves(100))
	now.Store(&state{200, 200})
	eventually("other prices", serves(200))
	now.Store(&state{300, 502})
	eventually("a failure", func() bool { return r.metric(healthy) == "0" })
	_, reasons := r.public.get(t, "/readyz")
	require.Equal(t, `{"status":"ready","reasons":["prices: the files cannot be read"]}`, reasons)
	status, body := r.admin.post(t, "/-/reload", "")
	require.Equal(t, 422, status)
	require.Contains(t, body, upstream.URL+"/prices.csv: 502 Bad Gateway")
	_, details := r.admin.get(t, "/readyz")
	require.Contains(t, details, "502 Bad Gateway")
	require.True(t, serves(200)())
	now.Store(&state{300, 200})
	eventually("prices again", serves(300))
	require.Equal(t, "1", r.metric(healthy))
	require.Equal(t, 1, strings.Count(r.log.String(), `"msg":"serving what was served"`))
	for _, text := range []string{r.log.String(), r.metrics(), body, details} {
		require.NotContains(t, text, "s3cret")
		require.NotContains(t, text, "t0ken")
	}
}
