package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/model/calibrate"
	"tickercast/model/market"
	"tickercast/predict/internal/ratelimit"
	"tickercast/predict/server"
)

// TestEveryStatusIsReached holds the document to the server: each answer is in it, with that type
// and the shape of its example, and each answer in it was given.
func TestEveryStatusIsReached(t *testing.T) {
	oneCore(t)
	c := newComparison(t)
	synctest.Test(t, func(t *testing.T) {
		c.T = t
		r := start(t, inMemory(), func(c *server.Config) {
			c.CalibrationDays, c.H2C = 120, true
		})
		time.Sleep(time.Minute) // until the calibration is judged
		for _, e := range exchanges() {
			c.exchange(r, e)
		}
		c.beforeHandlers(r)
		c.tooSlow(r)
		c.refusals()
		for route, all := range flood(t, r, 40) {
			a := firstOf(503, all)
			c.compare(route, 503, a.Header, a.body)
		}
		loaded := make(chan struct{})
		loading := launch(t, inMemory(), func(c *server.Config) {
			c.Load = func(ctx context.Context) (*calibrate.Yearly, *market.Market, error) {
				<-loaded
				return loadEmbedded(ctx)
			}
		})
		synctest.Wait()
		for _, path := range []string{"/predict/{ticker}", "/tickers", "/tickers/{ticker}",
			"/model", versionRoute} {
			c.exchange(loading, exchange{route: "GET " + path, status: 503})
		}
		c.exchange(loading, exchange{route: "POST " + versionRoute + "/infer", body: tensor("AAPL"),
			status: 503})
		close(loaded)
		loading.awaitReady()
		broken := start(t, inMemory(), func(c *server.Config) { c.Load = loadBroken(t) })
		c.exchange(broken, exchange{route: predictRoute, body: aForecast, status: 500})
		r.terminate()
		for _, path := range []string{"/readyz", "/v2/health/ready", "/v2/models/{name}/ready",
			versionRoute + "/ready"} {
			c.exchange(r, exchange{route: "GET " + path, status: 503})
		}
		require.NoError(t, r.end())
	})
	// Outside of the bubble, where computing takes time.
	c.T = t
	hurried := start(t, inMemory(), func(c *server.Config) { c.BatchTimeout = time.Nanosecond })
	c.exchange(hurried, exchange{route: batchRoute, body: `{"requests":[{"ticker":"AAPL"}]}`,
		status: 504})
	for _, route := range []string{inferRoute, "POST " + versionRoute + "/infer"} {
		c.exchange(hurried, exchange{route: route, status: 504,
			body: tensor("AAPL") + strings.Repeat(" ", 256)}) // short ones have no deadline
	}

	require.Empty(t, slices.Sorted(maps.Keys(c.unseen)),
		"in the document, but the server was not seen to answer it")
	require.Empty(t, slices.Sorted(maps.Keys(c.unshown)),
		"examples of errors, but the server was not seen to answer them")
}

// A comparison is of what servers answer with what the document says of it.
type comparison struct {
	*testing.T
	operations map[string]operation
	unseen     map[string]bool // answers of the document: "POST /predict 200 application/json"
	unshown    map[string]bool // examples of errors in the document, as JSON
}

func newComparison(t *testing.T) *comparison {
	c := &comparison{T: t, operations: document(t), unseen: map[string]bool{},
		unshown: map[string]bool{}}
	for route, op := range c.operations {
		for status, d := range op.Responses {
			for kind := range d.Content {
				c.unseen[route+" "+status+" "+kind] = true
			}
			for _, e := range d.examples() {
				if status >= "400" && status != "500" { // see beforeHandlers
					c.unshown[canonical(t, e)] = true
				}
			}
			if len(d.Content) == 0 {
				c.unseen[route+" "+status+" "] = true
			}
		}
	}
	return c
}

// exchange sends a request and compares the answer.
func (c *comparison) exchange(r *running, e exchange) {
	c.Helper()
	method, path, _ := strings.Cut(e.route, " ")
	if e.method == "" {
		e.method = method
	}
	if e.target == "" {
		e.target = filled(path)
	}
	var headers []string
	if e.header != "" {
		headers = []string{e.header}
	}
	resp, body := r.public.ask(c, e.method, e.target, e.body, headers...)
	require.Equal(c, e.status, resp.StatusCode, "%s %s: %s", e.method, e.target, body)
	c.compare(e.route, e.status, resp.Header, body)
}

// compare wants an answer to be in the document.
func (c *comparison) compare(route string, status int, header http.Header, body string) {
	c.Helper()
	key := fmt.Sprintf("%s %d", route, status)
	d, ok := c.operations[route].Responses[fmt.Sprint(status)]
	require.True(c, ok, "%s is not in the document: %s", key, body)
	delete(c.unseen, key+" "+d.fits(c.T, key, header, body))
	var answer any
	if json.Unmarshal([]byte(body), &answer) == nil {
		delete(c.unshown, canonical(c.T, answer))
	}
}

// beforeHandlers is what every route answers before its handler is reached.
func (c *comparison) beforeHandlers(r *running) {
	for route := range c.operations {
		_, path, _ := strings.Cut(route, " ")
		target := filled(path)
		c.exchange(r, exchange{route: route, target: target + "/", status: 307})
		c.exchange(r, exchange{route: route, method: "DELETE", status: 405})
		c.exchange(r, exchange{route: route, target: target + "?" + strings.Repeat("x", 2<<10),
			status: 414})
		for _, header := range []string{"X: " + strings.Repeat("x", 16<<10) + "\r\n",
			strings.Repeat("X: x\r\n", 200)} {
			resp, body := c.raw(r, route, header)
			require.Equal(c, 431, resp.StatusCode)
			c.compare(route, 431, resp.Header, body)
		}
		c.longHeadHTTP2(r, route)
		delete(c.unseen, route+" 500 application/json") // one handler with a fault stands for all
	}
}

func (c *comparison) longHeadHTTP2(r *running, route string) {
	c.Helper()
	method, path, _ := strings.Cut(route, " ")
	req, err := http.NewRequest(method, "http://"+r.Addr+filled(path), nil)
	require.NoError(c, err)
	req.Header.Set("X", strings.Repeat("x", 16<<10))
	resp, err := r.public.speaking(h2c, nil).Do(req)
	require.NoError(c, err)
	status, body := readAll(c, resp)
	require.Equal(c, 431, status)
	c.compare(route, status, resp.Header, body)
}

// raw sends the head of a request with more headers, and reads the answer.
func (c *comparison) raw(r *running, route, headers string) (*http.Response, string) {
	c.Helper()
	method, path, _ := strings.Cut(route, " ")
	conn := r.public.connect(c)
	defer conn.Close()
	go fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n", method, filled(path), headers)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(c, err)
	body, _ := io.ReadAll(resp.Body)
	return resp, string(body)
}

// tooSlow sends bodies that do not come.
func (c *comparison) tooSlow(r *running) {
	for _, route := range posts {
		resp, body := c.raw(r, route, isJSON+"Content-Length: 10\r\n")
		require.Equal(c, 408, resp.StatusCode)
		require.True(c, resp.Close)
		c.compare(route, 408, resp.Header, body)
	}
}

// refusals is what a server answers that wants keys and allows each client one request an hour.
// Routes that are open to everyone, which the document does not give a 401, do neither.
func (c *comparison) refusals() {
	keys := tempFile(c, "keys", keysOf("alice: a key that no request has"))
	r := start(c, inMemory(), func(cfg *server.Config) {
		cfg.KeysFile = keys
		cfg.RateLimit = ratelimit.Rate{Requests: 1, Period: time.Hour}
		var err error
		cfg.TrustedProxies, err = ratelimit.ParseProxies("192.0.2.1")
		require.NoError(c, err)
	})
	i := 0
	for route, op := range c.operations {
		i++
		e := exchange{route: route, header: fmt.Sprintf("X-Forwarded-For: 198.51.100.%d", i)}
		_, guarded := op.Responses["401"]
		for _, status := range []int{401, 429} {
			e.status = 200
			if guarded {
				e.status = status
			}
			c.exchange(r, e)
		}
	}
}
