package server_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/model"
	"tickercast/model/market"
	"tickercast/model/source"
	"tickercast/predict/server"
)

// from makes a server load and watch the prices at a path.
func from(path string) func(*server.Config) {
	src := source.Config{Prices: path}
	return func(c *server.Config) { c.Load, c.Watch = src.Open, source.NewLoader(src).Watch() }
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
			c.Load = func(ctx context.Context) (*model.Model, *market.Market, error) {
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
			c.Load = func(ctx context.Context) (*model.Model, *market.Market, error) {
				return load(ctx)
			}
		})
		for want, bad := range map[string]func(context.Context) (*model.Model, *market.Market,
			error){
			"no disk": func(context.Context) (*model.Model, *market.Market, error) {
				return nil, nil, errors.New("no disk")
			},
			"panic: a bad file": func(context.Context) (*model.Model, *market.Market, error) {
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
			c.Load = func(ctx context.Context) (*model.Model, *market.Market, error) {
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
			c.Load = func(ctx context.Context) (*model.Model, *market.Market, error) {
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

// TestSwapsUnderLoad makes a thousand swaps between two markets while clients ask: no error, no
// answer that mixes two markets, none of a market that was gone when its request began.
func TestSwapsUnderLoad(t *testing.T) {
	swaps := 1000
	if testing.Short() || raceEnabled {
		swaps = 100
	}
	markets := twoMarkets(t)
	loads := 0
	r := start(t, loopback(), func(c *server.Config) {
		c.Load = func(ctx context.Context) (*model.Model, *market.Market, error) {
			loads++
			return markets[(loads-1)%2].load(ctx)
		}
	})
	var begun, done atomic.Int64 // swaps that began and that were complete
	var answers atomic.Int64
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				before := done.Load()
				status, body := r.public.post(t, "/predict",
					fmt.Sprintf(`{"ticker":"acme","days_ahead":%d}`, 1+n%30))
				after := begun.Load()
				if status != http.StatusOK {
					t.Errorf("status %d: %s", status, body)
					return
				}
				if got := marketOf(decodeRows(t, body)); got < 0 || before == after &&
					got != int(before%2) {
					t.Errorf("an answer of market %d between swaps %d and %d: %s", got, before,
						after, body)
					return
				}
				answers.Add(1)
			}
		})
	}
	for i := 1; i <= swaps; i++ {
		begun.Add(1)
		status, body := r.admin.post(t, "/-/reload", "")
		require.Equal(t, 200, status, body)
		done.Add(1)
		for seen := answers.Load(); i%10 == 0 && answers.Load() < seen+8 && !t.Failed(); {
			runtime.Gosched() // so that some requests lie between two swaps, and some across
		}
	}
	close(stop)
	clients.Wait()
}

// twoMarkets have ACME near 100 and near 10,000; see marketOf.
func twoMarkets(t testing.TB) [2]data {
	var markets [2]data
	for i := range markets {
		markets[i] = near(t, 100*math.Pow(100, float64(i)), "ACME")
	}
	return markets
}

// marketOf returns which of the two markets made an answer, or -1 if its rows disagree.
func marketOf(rows []prediction) int {
	is := -1
	for i, r := range rows {
		m := 0
		if r.Price > 1000 {
			m = 1
		}
		if i > 0 && m != is || (m == 0) != (r.Upper < 1000) || (m == 1) != (r.Lower > 1000) {
			return -1
		}
		is = m
	}
	return is
}
