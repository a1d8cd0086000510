package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"tickercast/predict/server"
)

// costlyCalls are one of each kind that may be refused under overload, by route. They are as long
// as large ones, since the server bounds the bytes that wait.
var costlyCalls = map[string]struct{ path, body string }{
	"POST /predict": {"/predict", `{"ticker":"X","days_ahead":5.0,"history":` + history + `}` +
		blanks},
	"POST /predict/batch": {"/predict/batch",
		`{"requests":[{"ticker":"AAPL","days_ahead":30}]}` + blanks},
	"POST /v2/models/{name}/infer": {"/v2/models/tickercast/infer", tensor("AAPL") + blanks},
}

var blanks = strings.Repeat(" ", 32<<10)

// tensor asks the inference protocol for a ticker, in the words of the document's example.
func tensor(ticker string) string {
	return `{"id":"1","inputs":[{"name":"ticker","datatype":"BYTES","shape":[1],"data":["` +
		ticker + `"]}],"outputs":[{"name":"date"},{"name":"predicted_price"}]}`
}

// An answered call is a response with its body read.
type answered struct {
	*http.Response
	body string
}

// oneCore makes servers that are started until the test ends ones for a machine with one core, on
// which each call is let in before another is answered.
func oneCore(t *testing.T) {
	before := runtime.GOMAXPROCS(1)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

// flood sends n calls of each kind at once and returns the answers by route. Each kind has a 503
// among them, or is sent again.
func flood(t *testing.T, r *running, n int) map[string][]answered {
	t.Helper()
	answers := map[string][]answered{}
	for round := 0; ; round++ {
		var mu sync.Mutex
		var calls sync.WaitGroup
		for range n {
			for route, call := range costlyCalls {
				calls.Go(func() {
					p := r.public
					if p.road.http2 { // of one connection, only two such bodies come at a time
						p.client = p.network.client()
						defer p.client.CloseIdleConnections()
					}
					resp, body := p.ask(t, "POST", call.path, call.body)
					mu.Lock()
					defer mu.Unlock()
					answers[route] = append(answers[route], answered{resp, body})
				})
			}
		}
		calls.Wait()
		refused := 0
		for _, all := range answers {
			if firstOf(503, all) != nil {
				refused++
			}
		}
		if refused == len(costlyCalls) {
			return answers
		}
		require.Less(t, round, 20, "no overload")
	}
}

// firstOf returns the first answer with a status, or nil.
func firstOf(status int, all []answered) *answered {
	for i := range all {
		if all[i].StatusCode == status {
			return &all[i]
		}
	}
	return nil
}

// TestOverload sends more costly calls at once than the server lets wait. Some are refused at once,
// each is counted once, the others are answered, and connections stay.
func TestOverload(t *testing.T) {
	oneCore(t)
	onEveryRoad(t, func(t *testing.T, road road) {
		if road.http2 && raceEnabled {
			t.Skip("so slow, handshakes let no overload come about")
		}
		r := start(t, road.on(inMemory()), nil)
		refused, ok := 0, 0
		for route, all := range flood(t, r, 40) {
			for _, a := range all {
				if a.StatusCode == 200 {
					ok++
					continue
				}
				refused++
				require.Equal(t, 503, a.StatusCode, "%s: %s", route, a.body)
				require.Equal(t, "1", a.Header.Get("Retry-After"))
				require.Contains(t, a.body, `":"Service Unavailable"}`)
				require.False(t, a.Close, "the connection stays")
			}
		}
		require.GreaterOrEqual(t, ok, 12, "about as many as run and wait on one core")
		t.Logf("%d answered, %d refused", ok, refused)
		require.Equal(t, strconv.Itoa(refused),
			r.metric(`http_requests_rejected_total{reason="overload"}`))
		for route, call := range costlyCalls {
			status, body := r.public.post(t, call.path, call.body)
			require.Equal(t, 200, status, "afterwards, %s: %s", route, body)
		}
	})
}

// TestOverloadIsSeenBeforeTheBody sends, amid an overload, heads of calls whose bodies never come.
// Some are refused at once; the others wait for the body in vain.
func TestOverloadIsSeenBeforeTheBody(t *testing.T) {
	oneCore(t)
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), nil)
		batch := costlyCalls["POST /predict/batch"]
		var refused, late atomic.Int64
		var calls sync.WaitGroup
		for range 60 {
			c := r.public.connect(t)
			calls.Go(func() {
				io.WriteString(c, "POST /predict/batch HTTP/1.1\r\n"+host+isJSON+
					"Content-Length: 40000\r\n\r\n")
				resp, err := http.ReadResponse(bufio.NewReader(c), nil)
				switch {
				case err != nil:
					t.Error(err)
				case resp.StatusCode == 503:
					refused.Add(1)
				case resp.StatusCode == 408:
					late.Add(1)
				}
			})
			calls.Go(func() { r.public.post(t, batch.path, batch.body) })
		}
		calls.Wait()
		require.EqualValues(t, 60, refused.Load()+late.Load())
		require.NotZero(t, refused.Load())
		t.Logf("%d refused unread", refused.Load())
	})
}

// largeBatch has an answer that is too large for a connection, unless its client reads.
var largeBatch = `{"requests":[` + strings.Repeat(`{"ticker":"AAPL","days_ahead":30},`, 400) +
	`{"ticker":"AAPL"}]}`

// TestLargeAnswersTakeTurns has a client not read a large answer, in a server with little memory.
// Another large answer is refused meanwhile, and a small one is not.
func TestLargeAnswersTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), func(c *server.Config) { c.MemoryLimit = 64 << 20 })
		c := r.public.connect(t)
		_, err := io.WriteString(c, batchRequest(largeBatch))
		require.NoError(t, err)
		synctest.Wait()
		resp, body := r.public.ask(t, "POST", "/predict/batch", largeBatch)
		require.Equal(t, 503, resp.StatusCode)
		require.Equal(t, `{"detail":"Service Unavailable"}`, body)
		require.Equal(t, "1", resp.Header.Get("Retry-After"))
		require.Equal(t, "1", r.metric(`http_requests_rejected_total{reason="memory"}`))
		status, _ := r.public.post(t, "/predict/batch", `{"requests":[{"ticker":"AAPL"}]}`)
		require.Equal(t, 200, status)

		first, err := http.ReadResponse(bufio.NewReader(c), nil)
		require.NoError(t, err)
		status, body = readAll(t, first)
		require.Equal(t, 200, status)
		require.Equal(t, 401, strings.Count(body, `{"predictions":`))
		status, _ = r.public.post(t, "/predict/batch", largeBatch)
		require.Equal(t, 200, status, "when the first is read")
	})
}

// batchRequest is a POST /predict/batch as it stands on the wire.
func batchRequest(body string) string {
	return fmt.Sprintf("POST /predict/batch HTTP/1.1\r\n%s%sContent-Length: %d\r\n\r\n%s", host,
		isJSON, len(body), body)
}
