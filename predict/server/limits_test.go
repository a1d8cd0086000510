package server_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict/internal/ratelimit"
	"tickercast/predict/server"
)

// batchOfMany is a batch of n requests.
func batchOfMany(n int) string {
	return batchOf(slices.Repeat([]string{aForecast}, n)...)
}

// unusualBatchOf is the same in a form that only the complete parser reads.
func unusualBatchOf(n int) string { return `{"a":[1,"]",2],` + batchOfMany(n)[1:] }

const batchPath, inferPath = "/predict/batch", "/v2/models/tickercast/infer"

// inferenceOf asks for n tickers.
func inferenceOf(n int) string {
	return fmt.Sprintf(`{"inputs":[{"name":"ticker","datatype":"BYTES","shape":[%d],"data":[%s]}]}`,
		n, strings.TrimSuffix(strings.Repeat(`"AAPL",`, n), ","))
}

func zipped(body string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, body)
	z.Close()
	return b.String()
}

func TestLimitsOfBodies(t *testing.T) {
	onEveryRoad(t, func(t *testing.T, road road) {
		r := start(t, road.on(inMemory()), func(c *server.Config) {
			c.MaxBody, c.MaxBatchBody, c.MaxBatchItems = 100, 1000, 5
		})
		long := func(body string, n int) string { return body + strings.Repeat(" ", n-len(body)) }
		for _, tt := range []struct {
			path, body string
			want       int
		}{
			{"/predict", long(aForecast, 100), 200},
			{"/predict", long(aForecast, 101), 413},
			{batchPath, long(batchOfMany(2), 1000), 200},
			{batchPath, long(batchOfMany(2), 1001), 413},
			{inferPath, long(inferenceOf(2), 1000), 200},
			{inferPath, long(inferenceOf(2), 1001), 413},
			{batchPath, batchOfMany(5), 200},
			{batchPath, batchOfMany(6), 422},
			{batchPath, unusualBatchOf(5), 200},
			{batchPath, unusualBatchOf(6), 422},
			{inferPath, inferenceOf(5), 200},
			{inferPath, inferenceOf(6), 400},
		} {
			status, answer := r.public.post(t, tt.path, tt.body)
			require.Equal(t, tt.want, status, "%s: %s", tt.path, answer)
			// The same without a declared length.
			req, err := http.NewRequestWithContext(t.Context(), "POST", road.scheme()+"://"+r.Addr+tt.path,
				struct{ io.Reader }{strings.NewReader(tt.body)})
			require.NoError(t, err)
			req.Header.Set("Content-Type", "application/json")
			resp, err := r.public.client.Do(req)
			require.NoError(t, err)
			status, chunked := readAll(t, resp)
			require.Equal(t, tt.want, status, "%s in chunks: %s", tt.path, chunked)
			require.Equal(t, answer, chunked)
			// The same while it is compressed, where only the length afterwards is over the limit.
			resp, inflated := r.public.ask(t, "POST", tt.path, zipped(tt.body),
				"Content-Encoding: gzip")
			require.Equal(t, tt.want, resp.StatusCode, "%s as gzip: %s", tt.path, inflated)
			require.Equal(t, answer, inflated)
		}
		_, answer := r.public.post(t, batchPath, batchOfMany(6))
		require.Contains(t, answer, "at most 5 items")
		_, doc := r.public.get(t, "/openapi.json")
		require.Equal(t, 4, strings.Count(doc, `"maxItems": 5`))
		require.NotContains(t, doc, `"maxItems": 1000`)
		require.Contains(t, doc, `"type": "integer", "minimum": 1, "maximum": 5}`)
	})
}

// withFields is a request with n header fields.
func withFields(method, path, body string, n int) string {
	head := method + " " + path + " HTTP/1.1\r\nHost: a\r\n"
	n--
	if method == "POST" {
		head += "Content-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) +
			"\r\n"
		n -= 2
	}
	for i := range n {
		head += fmt.Sprintf("X-%d: %[1]d\r\n", i)
	}
	return head + "\r\n" + body
}

func TestLimitOfHeaderFields(t *testing.T) {
	onEveryRoad(t, func(t *testing.T, road road) {
		for _, limit := range []int{10, 100, 300} {
			r := start(t, road.on(inMemory()), func(c *server.Config) {
				c.MaxHeaderFields = limit
			})
			for _, p := range []port{r.public, r.admin} {
				for _, method := range []string{"POST", "GET"} {
					path := map[string]string{"POST": "/predict", "GET": "/health"}[method]
					if p.addr == r.AdminAddr {
						method, path = "GET", "/livez"
					}
					for _, n := range []int{limit, limit + 1, 2 * limit} {
						status, closes, answer := tell(t, p, strings.Replace(withFields(method,
							path, aForecast, n), "Host: a", "Host: 127.0.0.1", 1))
						if n <= limit {
							require.Equal(t, 200, status, "%s, %d of %d", path, n, limit)
							continue
						}
						require.Equal(t, 431, status, "%s, %d of %d", path, n, limit)
						require.Equal(t, `{"detail":"Request Header Fields Too Large"}`, answer)
						require.Equal(t, n > limit+12, closes)
					}
				}
			}
			r.cancel()
			require.NoError(t, r.end())
		}
	})
}

// tell sends a request as it is and returns the answer.
func tell(t *testing.T, p port, request string) (status int, closes bool, answer string) {
	t.Helper()
	c := p.connect(t)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			return replacing{c, request}, nil
		}}}
	resp, err := client.Get("http://a/")
	require.NoError(t, err)
	status, answer = readAll(t, resp)
	return status, resp.Close, answer
}

// replacing sends its request in place of what is written.
type replacing struct {
	net.Conn
	request string
}

func (r replacing) Write(b []byte) (int, error) {
	_, err := io.WriteString(r.Conn, r.request)
	return len(b), err
}

// TestLimitOfHeaderFieldsEndsOnlyItsStream uses one connection of HTTP/2.
func TestLimitOfHeaderFieldsEndsOnlyItsStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), func(c *server.Config) { c.H2C = true })
		transport := r.public.speaking(h2c, nil).Transport.(*http.Transport)
		transport.DisableKeepAlives = false
		client := &http.Client{Transport: transport}
		defer client.CloseIdleConnections()
		require.True(t, askedAnew(t, client, "GET", "http://"+r.Addr+"/health"))
		for n, want := range map[int]int{100: 200, 101: 431, 150: 431} {
			req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+r.Addr+"/health",
				nil)
			require.NoError(t, err)
			req.Header.Set("User-Agent", "")
			req.Header.Set("Accept-Encoding", "identity")
			for i := range n - 1 {
				req.Header.Set(fmt.Sprint("X-", i), "")
			}
			resp, err := client.Do(req)
			require.NoError(t, err)
			status, _ := readAll(t, resp)
			require.Equal(t, want, status, "%d fields", n)
			require.False(t, askedAnew(t, client, "GET", "http://"+r.Addr+"/health"))
		}
	})
}

func TestLimitOfHeaderBytes(t *testing.T) {
	onEveryRoad(t, func(t *testing.T, road road) {
		for _, limit := range []int{1 << 10, 8 << 10, 64 << 10} {
			r := start(t, road.on(inMemory()), func(c *server.Config) {
				c.MaxHeaderBytes = limit
			})
			for n, want := range map[int]int{limit + 3<<10: 200, limit + 5<<10: 431} {
				status, _, _ := tell(t, r.public, "GET /health HTTP/1.1\r\nHost: a\r\n"+
					"Authorization: Bearer "+strings.Repeat("a", n)+"\r\n\r\n")
				require.Equal(t, want, status, "%d of %d bytes", n, limit)
			}
			r.cancel()
			require.NoError(t, r.end())
		}
	})
}

// TestRateLimitByItems has batches cost as many requests as they hold.
func TestRateLimitByItems(t *testing.T) {
	onEveryRoad(t, func(t *testing.T, road road) {
		file := tempFile(t, "keys", keysOf("alice: key-of-alice", "bob: key-of-bob"))
		for _, key := range []string{"", "X-API-Key: key-of-alice"} {
			for _, way := range []struct {
				path string
				of   func(int) string
			}{{batchPath, batchOfMany}, {batchPath, unusualBatchOf}, {inferPath, inferenceOf}} {
				r := start(t, road.on(inMemory()), func(c *server.Config) {
					c.RateLimit = ratelimit.Rate{Requests: 10, Period: time.Minute}
					if key != "" {
						c.KeysFile = file
					}
				})
				testItems(t, r, key, way.path, way.of)
				if key != "" {
					resp, _ := r.public.ask(t, "POST", way.path, way.of(9),
						"X-API-Key: key-of-bob")
					require.Equal(t, 200, resp.StatusCode, "another client")
				}
				r.cancel()
				require.NoError(t, r.end())
			}
		}
	})
}

func testItems(t *testing.T, r *running, key, path string, of func(int) string) {
	ask := func(path, body string) *http.Response {
		t.Helper()
		if key == "" {
			key = "X: y"
		}
		resp, answer := r.public.ask(t, "POST", path, body, key)
		require.NotEqual(t, 422, resp.StatusCode, answer)
		return resp
	}
	wantOK := func(path, body, why string) {
		t.Helper()
		require.Equal(t, 200, ask(path, body).StatusCode, why)
	}
	wantRefused := func(path, body string, retryAfter int, why string) {
		t.Helper()
		resp := ask(path, body)
		require.Equal(t, 429, resp.StatusCode, why)
		got, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		require.NoError(t, err, why)
		if r.public.road.http2 && got == retryAfter-1 {
			return // the server may have waited a second for the rest of the body before
		}
		require.Equal(t, retryAfter, got, why)
	}
	wantOK(path, of(8), "8 of 10")
	wantRefused(path, of(5), 18, "2 are left, and 3 come in 18 s")
	wantOK("/predict", aForecast, "a refused batch costs nothing")
	wantOK(path, of(1), "the tenth")
	wantRefused("/predict", aForecast, 6, "none is left")
	wantRefused(path, of(5), 6, "nor is one for a batch")
	time.Sleep(18 * time.Second)
	wantRefused(path, of(5), 12, "3 are left, 2 come in 12 s")
	time.Sleep(12 * time.Second)
	wantOK(path, of(5), "after Retry-After")
	time.Sleep(54 * time.Second)
	wantRefused(path, of(25), 6, "more than the bucket holds needs a full one")
	time.Sleep(6 * time.Second)
	wantOK(path, of(25), "the bucket is full")
	wantRefused("/predict", aForecast, 96, "15 are owed")
	time.Sleep(96 * time.Second)
	wantOK("/predict", aForecast, "the debt is paid")
	wantRefused("/predict", aForecast, 6, "and no more")
}

// TestRefusedBatchCostsOne has batches that are not answered cost as much as a single request.
func TestRefusedBatchCostsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), func(c *server.Config) {
			c.RateLimit = ratelimit.Rate{Requests: 5, Period: time.Hour}
		})
		var got bytes.Buffer
		for _, body := range []string{batchOfMany(1001), `{"requests":[`, `{"requests":7}`, batchOfMany(0),
			batchOfMany(1), batchOfMany(1)} {
			status, _ := r.public.post(t, batchPath, body)
			fmt.Fprintln(&got, status)
		}
		require.Equal(t, "422\n422\n422\n200\n200\n429\n", got.String())
	})
}
