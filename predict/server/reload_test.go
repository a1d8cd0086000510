package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/model/calibrate"
	"tickercast/model/market"
	"tickercast/model/source"
	"tickercast/predict/server"
)

// from makes a server load and watch the prices at a path.
func from(path string) func(*server.Config) {
	src := source.Config{Prices: path}
	loader := source.NewLoader(src)
	return func(c *server.Config) { c.Load, c.Watch = loader.Load, loader.Watch() }
}

func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := tempFile(t, "prices.csv", pricesCSV(100, "ACME"))
		r := start(t, inMemory(), func(c *server.Config) {
			from(path)(c)
			c.WatchInterval = 0
		})
		serves := func(want float64) {
			t.Helper()
			require.InEpsilon(t, want, r.priceOf("ACME"), 0.05)
		}
		serves(100)
		replaceFile(t, path, pricesCSV(200, "ACME"))
		time.Sleep(watched)
		serves(100) // no file is watched
		status, body := r.admin.post(t, "/-/reload", "")
		require.Equal(t, http.StatusOK, status, body)
		require.Regexp(t,
			`^{"as_of":"1999-\d\d-\d\d","model_version":"[^"]+","status":"reloaded"}\n$`, body)
		serves(200)
		replaceFile(t, path, pricesCSV(300, "ACME"))
		r.hangUp()
		serves(300)

		// A refused file changes nothing. The answer, the log, a metric and /readyz name its line.
		replaceFile(t, path, pricesCSV(400, "ACME")+"1999-12-01,ACME,minus one\n")
		status, body = r.admin.post(t, "/-/reload", "")
		require.Equal(t, http.StatusUnprocessableEntity, status)
		require.Contains(t, body, "prices.csv:122")
		require.Contains(t, body, "minus one")
		serves(300)
		status, body = r.admin.get(t, "/readyz")
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, "prices.csv:122")
		status, body = r.public.get(t, "/readyz")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, `{"status":"ready","reasons":["prices: the last reload was refused"]}`,
			body)
		require.Equal(t, "1", r.metric(`reloads_total{result="refused"}`))
		require.Equal(t, "2", r.metric(`reloads_total{result="ok"}`))
		require.Contains(t, r.log.String(), "prices.csv:122")

		replaceFile(t, path, pricesCSV(500, "ACME"))
		r.hangUp()
		serves(500)
		_, body = r.admin.get(t, "/readyz")
		require.Equal(t, `{"status":"ready","reasons":[]}`, body,
			"a good reload ends the complaint")
	})
}

func TestReloadWhenTheFileChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		path := filepath.Join(dir, "ACME.csv")
		replaceFile(t, path, pricesCSV(100, "ACME"))
		r := start(t, inMemory(), from(dir))
		require.InEpsilon(t, 100, r.priceOf("ACME"), 0.05)
		time.Sleep(time.Second)
		replaceFile(t, path, pricesCSV(2000, "ACME"))
		time.Sleep(watched)
		require.InEpsilon(t, 2000, r.priceOf("ACME"), 0.05)
		require.NoError(t, os.Remove(path))
		time.Sleep(watched) // nothing there: what is served stays
		replaceFile(t, path, "date,ticker,close\n")
		time.Sleep(watched)
		require.Contains(t, r.log.String(), "reload refused")
		require.InEpsilon(t, 2000, r.priceOf("ACME"), 0.05)
	})
}

// TestHalfAFileIsNotRead changes a file at every look for a while. It is read once, when it has
// stayed the same for one interval.
func TestHalfAFileIsNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := tempFile(t, "prices.csv", pricesCSV(100, "ACME"))
		r := start(t, inMemory(), from(path))
		interval := server.Default().WatchInterval
		time.Sleep(interval / 2) // so that the looks are between the changes
		text := pricesCSV(5000, "ACME")
		for n := len(text) / 2; n < len(text); n += len(text) / 20 {
			replaceFile(t, path, text[:n])
			time.Sleep(interval)
			require.InEpsilon(t, 100, r.priceOf("ACME"), 0.05)
		}
		replaceFile(t, path, text)
		time.Sleep(watched)
		require.InEpsilon(t, 5000, r.priceOf("ACME"), 0.05)
		require.Equal(t, 1, strings.Count(r.log.String(), "reload"), r.log.String())
	})
}

// TestChangeWhileStarting changes prices right after they are first read. The change is seen.
func TestChangeWhileStarting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := tempFile(t, "prices.csv", pricesCSV(100, "ACME"))
		change := sync.OnceFunc(func() { replaceFile(t, path, pricesCSV(20000, "ACME")) })
		r := start(t, inMemory(), func(c *server.Config) {
			from(path)(c)
			load := c.Load
			c.Load = func(ctx context.Context) (*calibrate.Yearly, *market.Market, error) {
				defer change()
				time.Sleep(time.Second) // so that the new file is a second younger
				return load(ctx)
			}
		})
		require.InEpsilon(t, 100, r.priceOf("ACME"), 0.05)
		time.Sleep(10 * watched)
		require.InEpsilon(t, 20000, r.priceOf("ACME"), 0.05)
		require.Equal(t, "1", r.metric(`reloads_total{result="ok"}`))
	})
}

// TestBadLoads has loading fail in each way. What was served goes on, and so does the server.
func TestBadLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := near(t, 100, "ACME")
		load := good.load
		r := start(t, inMemory(), func(c *server.Config) {
			c.Load = func(ctx context.Context) (*calibrate.Yearly, *market.Market, error) {
				return load(ctx)
			}
		})
		for want, bad := range map[string]func(context.Context) (*calibrate.Yearly, *market.Market,
			error){
			"no disk": func(context.Context) (*calibrate.Yearly, *market.Market, error) {
				return nil, nil, errors.New("no disk")
			},
			"panic: a bad file": func(context.Context) (*calibrate.Yearly, *market.Market, error) {
				panic("a bad file")
			},
			"a model and a market are needed": data{model: good.model}.load,
		} {
			load = bad
			status, body := r.admin.post(t, "/-/reload", "")
			require.Equal(t, http.StatusUnprocessableEntity, status)
			require.Contains(t, body, want)
			require.InEpsilon(t, 100, r.priceOf("ACME"), 0.05)
		}
		load = good.load
		status, body := r.admin.post(t, "/-/reload", "")
		require.Equal(t, http.StatusOK, status, body)
	})
}

// TestLongReload reads a file that takes long. Forecasts go on, the client that asked gets its
// answer, and the reload goes on without it.
func TestLongReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := near(t, 100, "ACME"), near(t, 10000, "ACME")
		const long = 30 * time.Second
		loads := 0
		r := start(t, inMemory(), func(c *server.Config) {
			c.Load = func(ctx context.Context) (*calibrate.Yearly, *market.Market, error) {
				if loads++; loads == 1 {
					return first.load(ctx)
				}
				select {
				case <-time.After(long):
					return second.load(ctx)
				case <-ctx.Done():
					return nil, nil, ctx.Err()
				}
			}
		})
		c := r.admin.connect(t)
		_, err := fmt.Fprintf(c, "POST /-/reload HTTP/1.1\r\nHost: localhost\r\n\r\n")
		require.NoError(t, err)
		time.Sleep(time.Second)
		c.Close()
		require.InEpsilon(t, 100, r.priceOf("ACME"), 0.05)
		time.Sleep(long)
		require.InEpsilon(t, 10000, r.priceOf("ACME"), 0.05)
		began := time.Now()
		status, body := r.admin.post(t, "/-/reload", "")
		require.Equal(t, http.StatusOK, status, body)
		require.Equal(t, long, time.Since(began))
	})
}

// TestReloadOfClientsThatLeft has clients ask for a reload while one is under way, send something
// with it, and leave. No other reload runs for them.
func TestReloadOfClientsThatLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := near(t, 100, "ACME")
		var loads atomic.Int64
		r := start(t, inMemory(), func(c *server.Config) {
			c.Load = func(ctx context.Context) (*calibrate.Yearly, *market.Market, error) {
				if loads.Add(1) > 1 {
					time.Sleep(time.Minute)
				}
				return first.load(ctx)
			}
		})
		r.hangUp()
		for _, body := range []string{"", "x", strings.Repeat("x", 100_000)} {
			c := r.admin.connect(t)
			go fmt.Fprintf(c,
				"POST /-/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n"+
					"\r\n%s", len(body), body)
			time.Sleep(time.Second)
			c.Close()
		}
		time.Sleep(10 * time.Minute)
		require.EqualValues(t, 2, loads.Load())
	})
}
