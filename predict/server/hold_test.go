package server_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict/internal/memnet"
	"tickercast/predict/server"
)

const heldMetric = "client_memory_bytes"

// smallMemory has a limiter of 8 MB, on either path.
func smallMemory(lane bool) func(*server.Config) {
	return func(c *server.Config) {
		c.MemoryLimit, c.FastLane = 70<<20, lane
		c.MaxConns = 1000
	}
}

// hog opens connections that each send a request and nothing more, until one is refused. It returns
// the others, and the answer to the last.
func hog(t *testing.T, r *running, request string) (holding []net.Conn, refused *http.Response) {
	t.Helper()
	for range 600 {
		c := r.public.connect(t)
		// A refusal may come before all is sent.
		io.WriteString(c, request)
		synctest.Wait()
		if !hasAnswer(c) {
			holding = append(holding, c)
			continue
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		require.NoError(t, err)
		if resp.StatusCode != 200 {
			_, body := readAll(t, resp)
			require.Contains(t, body, `":"Service Unavailable"}`)
			return holding, resp
		}
		holding = append(holding, c) // an answer of which the rest waits
	}
	t.Fatalf("no connection was refused: %.60q", request)
	return nil, nil
}

// hasAnswer reports whether bytes have come.
func hasAnswer(c net.Conn) bool { return c.(*memnet.Conn).Buffered() > 0 }

var manyHeaders = func() string {
	var b strings.Builder
	b.WriteString("GET /model HTTP/1.1\r\n" + host)
	for i := range 1500 {
		fmt.Fprintf(&b, "%x:\r\n", i)
	}
	return b.String()
}()

// TestHogsAreBounded has clients hold what they can, each in one way, on both paths. Beyond the
// limit they are refused, small requests go on, and in the end all is given back.
func TestHogsAreBounded(t *testing.T) {
	unfinished := func(path string, length, sent int) string {
		return fmt.Sprintf("POST %s HTTP/1.1\r\n%s%sContent-Length: %d\r\n\r\n%s", path, host, isJSON,
			length, strings.Repeat(" ", sent))
	}
	for name, request := range map[string]string{
		"bodies":       unfinished("/predict/batch", 700_000, 699_999),
		"short bodies": unfinished("/predict", 65_536, 65_535),
		"tensors":      unfinished("/v2/models/tickercast/infer", 500_000, 300_000),
		"chunks": "POST /predict/batch HTTP/1.1\r\n" + host + isJSON +
			"Transfer-Encoding: chunked\r\n\r\nfffff\r\n" + strings.Repeat(" ", 500_000),
		"inflated": func() string {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			io.WriteString(z, strings.Repeat(" ", 500_000))
			z.Flush() // it has no end
			return fmt.Sprintf("POST /predict/batch HTTP/1.1\r\n%s%sContent-Encoding: gzip\r\n"+
				"Content-Length: %d\r\n\r\n%s", host, isJSON, b.Len()+1, &b)
		}(),
		"heads":   manyHeaders,
		"answers": strings.Repeat("GET /tickers?limit=1000 HTTP/1.1\r\n"+host+"\r\n", 6),
		"batches": batchRequest(largeBatch),
	} {
		for _, lane := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				r := start(t, inMemory(), smallMemory(lane))
				holding, refused := hog(t, r, request)
				require.Equal(t, 503, refused.StatusCode, name)
				require.Equal(t, "1", refused.Header.Get("Retry-After"), name)
				require.NotEmpty(t, holding, "%s: the first is not refused", name)
				require.NotEqual(t, "0", r.metric(`http_requests_rejected_total{reason="memory"}`))
				// One client may hold no more than half of what there is.
				var held, limit float64
				fmt.Sscan(r.metric(heldMetric), &held)
				fmt.Sscan(r.metric("client_memory_limit_bytes"), &limit)
				require.LessOrEqual(t, held, limit/2, name)
				require.Greater(t, held, limit/8, name)
				for range 10 {
					status, answer := r.public.post(t, "/predict", aForecast)
					require.Equal(t, 200, status, "%s: a small request: %s", name, answer)
					status, answer = r.public.post(t, "/predict/batch",
						`{"requests":[`+aForecast+`]}`)
					require.Equal(t, 200, status, "%s: a small batch: %s", name, answer)
				}
				for _, c := range holding {
					c.Close()
				}
				synctest.Wait()
				time.Sleep(time.Second) // net/http lingers
				require.Equal(t, "0", r.metric(heldMetric), "%s, in the end", name)
			})
		}
	}
}

// TestStalledHoldersMakeRoom has clients that neither read nor send hold all that they may, with
// long timeouts. After ten seconds the next one that needs room makes the server close them.
func TestStalledHoldersMakeRoom(t *testing.T) {
	for name, request := range map[string]string{
		"heads":   manyHeaders,
		"answers": "GET /tickers?limit=1000 HTTP/1.1\r\n" + host + "\r\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			r := start(t, inMemory(), func(c *server.Config) {
				smallMemory(true)(c)
				c.ReadHeaderTimeout, c.ReadTimeout = 10*time.Minute, 10*time.Minute
				c.WriteTimeout = 10 * time.Minute
			})
			holding, _ := hog(t, r, request)
			time.Sleep(9 * time.Second)
			status, _ := r.public.post(t, "/predict/batch", largeBatch)
			require.Equal(t, 503, status, "%s: no one is closed yet", name)
			require.Equal(t, "0", r.metric("client_memory_stopped_total"))
			time.Sleep(2 * time.Second)
			r.public.post(t, "/predict/batch", largeBatch) // makes room
			synctest.Wait()
			require.Equal(t, fmt.Sprint(len(holding)), r.metric("client_memory_stopped_total"), name)
			time.Sleep(time.Second)
			require.Equal(t, "0", r.metric(heldMetric), name)
			status, _ = r.public.post(t, "/predict/batch", largeBatch)
			require.Equal(t, 200, status, name)
		})
	}
}

// TestStreamsAreBounded has one HTTP/2 connection open streams whose bodies never end.
func TestStreamsAreBounded(t *testing.T) {
	r := start(t, loopback(), func(c *server.Config) {
		smallMemory(true)(c)
		c.H2C, c.ReadTimeout = true, time.Minute
	})
	client := &http.Client{Transport: &http.Transport{Protocols: new(http.Protocols)}}
	client.Transport.(*http.Transport).Protocols.SetUnencryptedHTTP2(true)
	defer client.CloseIdleConnections()
	answers := make(chan int, 20) // statuses; 0: none
	var bodies []*io.PipeWriter
	for range 20 {
		body, send := io.Pipe()
		bodies = append(bodies, send)
		go send.Write(make([]byte, 900_000))
		req, err := http.NewRequestWithContext(t.Context(), "POST",
			"http://"+r.Addr+"/predict/batch", body)
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		go func() {
			resp, err := client.Do(req)
			if err != nil {
				answers <- 0
				return
			}
			resp.Body.Close()
			answers <- resp.StatusCode
		}()
	}
	// Those that are refused are answered; the others wait for the rest of their bodies.
	refused := 0
	for refused == 0 {
		select {
		case status := <-answers:
			require.Equal(t, 503, status)
			refused++
		case <-time.After(patience):
			t.Fatal("no stream was refused")
		}
	}
	status, text := r.public.post(t, "/predict", aForecast)
	require.Equal(t, 200, status, "a small request meanwhile: %s", text)
	for _, b := range bodies {
		b.CloseWithError(io.ErrUnexpectedEOF)
	}
	require.Eventually(t, func() bool { return r.metric(heldMetric) == "0" }, patience,
		10*time.Millisecond, "all is given back")
}
