package server

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict"
	"tickercast/predict/internal/ratelimit"
)

// An exchange is a request and the status that it leads to.
type exchange struct {
	route  string // method and path, as the document has them
	target string // empty means the route's path, filled in
	header string // "Name: value", or empty
	body   io.Reader
	status int
}

// filled is a path of the document with values that exist.
func filled(path string) string {
	return strings.NewReplacer("{ticker}", "AAPL", "{asset}", "app.css", "{name}",
		"tickercast").Replace(path)
}

const infer = "POST /v2/models/{name}/infer"

func exchanges() []exchange {
	text := strings.NewReader
	long := strings.Repeat("A", 11)
	list := []exchange{
		{route: "POST /predict", body: text(`{"ticker":"AAPL","days_ahead":2}`), status: 200},
		{route: "POST /predict", target: "/predict/", status: 307},
		{route: "POST /predict", body: text("\"\xff\""), status: 400},
		{route: "POST /predict", body: text(`{"ticker":"ZZZZQ"}`), status: 404},
		{route: "POST /predict", body: failing{os.ErrDeadlineExceeded}, status: 408},
		{route: "POST /predict", body: text(strings.Repeat(" ", 65<<10)), status: 413},
		{route: "POST /predict", body: text(`{"ticker":"` + long + `"}`), status: 422},
		{route: "POST /predict", body: failing{nil}, status: 500},
		{route: "POST /predict/batch",
			body: text(`{"requests":[{"ticker":"AAPL"},{"ticker":"AAPL","levels":[0.9]},{"ticker":"ZZZZQ"}]}`), status: 200},
		{route: "POST /predict/batch", header: "Accept: application/x-ndjson",
			body: text(`{"requests":[{"ticker":"ZZZZQ"}]}`), status: 200},
		{route: "POST /predict/batch", body: text("\"\xff\""), status: 400},
		{route: "POST /predict/batch", body: failing{os.ErrDeadlineExceeded}, status: 408},
		{route: "POST /predict/batch", body: text(strings.Repeat(" ", 1<<20+1)), status: 413},
		{route: "POST /predict/batch", body: text(`{"requests":{}}`), status: 422},
		{route: "GET /predict/{ticker}", target: "/predict/AAPL?days_ahead=2", status: 200},
		{route: "GET /predict/{ticker}", header: "If-None-Match: *", status: 304},
		{route: "GET /predict/{ticker}", target: "/predict/ZZZZQ", status: 404},
		{route: "GET /predict/{ticker}", target: "/predict/AAPL?days_ahead=31", status: 422},
		{route: "GET /tickers", target: "/tickers?q=AAPL&limit=1", status: 200},
		{route: "GET /tickers", target: "/tickers?limit=0", status: 422},
		{route: "GET /tickers/{ticker}", target: "/tickers/AAPL?limit=2", status: 200},
		{route: "GET /tickers/{ticker}", target: "/tickers/ZZZZQ", status: 404},
		{route: "GET /tickers/{ticker}", target: "/tickers/" + long, status: 422},
		{route: "GET /model", status: 200},
		{route: "GET /v2", status: 200},
		{route: "GET /v2/health/live", status: 200},
		{route: "GET /v2/health/ready", status: 200},
		{route: "GET /v2/models/{name}", status: 200},
		{route: "GET /v2/models/{name}", target: "/v2/models/other", status: 404},
		{route: "GET /v2/models/{name}/ready", status: 200},
		{route: "GET /v2/models/{name}/ready", target: "/v2/models/other/ready", status: 404},
		{route: infer, body: text(tensor("AAPL")), status: 200},
		{route: infer, body: text(tensor("ZZZZQ")), status: 400},
		{route: infer, target: "/v2/models/other/infer", body: text(tensor("AAPL")), status: 404},
		{route: infer, body: failing{os.ErrDeadlineExceeded}, status: 408},
		{route: infer, body: text(strings.Repeat(" ", 1<<20+1)), status: 413},
		{route: "GET /health", status: 200},
		{route: "GET /livez", status: 200},
		{route: "GET /readyz", status: 200},
		{route: "GET /docs/{asset}", target: "/docs/app.js", status: 200},
		{route: "GET /docs/{asset}", target: "/docs/icon.svg", status: 200},
		{route: "GET /docs/{asset}", target: "/docs/nope.js", status: 404},
	}
	for _, route := range []string{"GET /docs", "GET /docs/{asset}", "GET /openapi.json"} {
		list = append(list, exchange{route: route, status: 200},
			exchange{route: route, header: "If-None-Match: *", status: 304})
	}
	return list
}

// tensor asks the inference protocol for a ticker, in the words of the example.
func tensor(ticker string) string {
	return `{"id":"1","inputs":[{"name":"ticker","datatype":"BYTES","shape":[1],"data":["` +
		ticker + `"]}],"outputs":[{"name":"date"},{"name":"predicted_price"}]}`
}

// failing is a body that breaks off with an error, or panics where there is none to give.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err == nil {
		panic(errors.New("a fault of the server's own"))
	}
	return 0, f.err
}

// TestEveryStatusIsReached holds the document to the server: what comes is in it, with that type
// and the shape of its example, and nothing is in it that does not come.
func TestEveryStatusIsReached(t *testing.T) {
	c := newComparison(t)
	s := embeddedServing(t)
	handler := s.handler()
	for _, e := range exchanges() {
		c.exchange(handler, e)
	}

	s.draining.Store(true)
	for _, path := range []string{"/readyz", "/v2/health/ready", "/v2/models/{name}/ready"} {
		c.exchange(handler, exchange{route: "GET " + path, status: 503})
	}
	s.draining.Store(false)

	c.beforeHandlers(s, handler)
	c.guarded(s)

	hurried := anotherServing(t, s, &serveFlags{timeout: time.Nanosecond}).handler()
	c.exchange(hurried, exchange{route: "POST /predict/batch",
		body: strings.NewReader(`{"requests":[{"ticker":"AAPL"}]}`), status: 504})
	c.exchange(hurried, exchange{route: infer, body: strings.NewReader(tensor("AAPL")),
		status: 504})

	small := anotherServing(t, s, &serveFlags{answerBytes: 1})
	crowded := small.handler()
	large := `{"requests":[` + strings.Repeat(`{"ticker":"AAPL","days_ahead":30},`, 20) + `{}]}`
	req := httptest.NewRequestWithContext(t.Context(), "POST", "/predict/batch",
		strings.NewReader(large))
	req.Header.Set("Content-Type", "application/json")
	crowded.ServeHTTP(meanwhile{httptest.NewRecorder(), func() {
		c.exchange(crowded, exchange{route: "POST /predict/batch", body: strings.NewReader(large),
			status: 503})
	}}, req)
	require.Contains(t, string(small.registry.AppendText(nil)),
		"\nhttp_requests_rejected_total{reason=\"memory\"} 1\n")

	require.Empty(t, slices.Sorted(maps.Keys(c.unseen)),
		"in the document, but the server was not seen to answer it")
}

// meanwhile is a client that does something before it reads an answer.
type meanwhile struct {
	*httptest.ResponseRecorder
	do func()
}

func (w meanwhile) Write(b []byte) (int, error) {
	w.do()
	return w.ResponseRecorder.Write(b)
}

// A comparison is of what the server answers with what the document says of it.
type comparison struct {
	*testing.T
	answers map[string]described // by method, path and status
	unseen  map[string]bool      // those, and the type
	address string               // of the client
}

func newComparison(t *testing.T) *comparison {
	c := &comparison{T: t, answers: documentedAnswers(t), unseen: map[string]bool{},
		address: "192.0.2.1:1"}
	for key, d := range c.answers {
		for kind := range d.Content {
			c.unseen[key+" "+kind] = true
		}
		if len(d.Content) == 0 {
			c.unseen[key+" "] = true
		}
	}
	return c
}

// exchange sends a request by the method of its route.
func (c *comparison) exchange(handler http.Handler, e exchange) {
	c.Helper()
	method, _, _ := strings.Cut(e.route, " ")
	c.send(handler, method, e)
}

func (c *comparison) send(handler http.Handler, method string, e exchange) {
	c.Helper()
	if e.target == "" {
		_, path, _ := strings.Cut(e.route, " ")
		e.target = filled(path)
	}
	req := httptest.NewRequestWithContext(c.Context(), method, e.target, e.body)
	req.RemoteAddr = c.address
	req.Header.Set("Content-Type", "application/json")
	if name, value, ok := strings.Cut(e.header, ": "); ok {
		req.Header.Set(name, value)
	}
	if _, ok := e.body.(failing); ok {
		req.ContentLength = 10
	}
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, req)
	require.Equal(c, e.status, rec.Code, "%s %s: %s", method, e.target, rec.Body)
	key := fmt.Sprintf("%s %d", e.route, e.status)
	d, ok := c.answers[key]
	require.True(c, ok, "%s is not in the document: %s", key, rec.Body)
	delete(c.unseen, key+" "+d.fits(c.T, key, rec.Header(), rec.Body.Bytes()))
}

// beforeHandlers is what every route answers before its handler is reached.
func (c *comparison) beforeHandlers(s *serving, handler http.Handler) {
	srv := httptest.NewUnstartedServer(nil)
	srv.Config = newHTTPServer(handler, s.logger)
	srv.Start()
	defer srv.Close()
	for _, r := range s.routes() {
		route, target := r.pattern(), filled(r.path)
		c.exchange(handler, exchange{route: route, target: target + "/", status: 307})
		c.send(handler, "DELETE", exchange{route: route, status: 405})
		c.exchange(handler, exchange{route: route,
			target: target + "?" + strings.Repeat("x", predict.MaxTarget), status: 414})
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		require.NoError(c, err)
		_, err = fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", r.method, target,
			strings.Repeat("x", 16<<10))
		require.NoError(c, err)
		// a server that refuses may reset the connection after its answer
		answer, _ := io.ReadAll(conn)
		conn.Close()
		require.Contains(c, string(answer),
			"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain", route)
		delete(c.unseen, route+" 431 text/plain")
		delete(c.unseen, route+" 500 application/json") // one handler with a fault stands for all
	}
}

// guarded is what a server answers that wants keys and allows each address one request an hour,
// with a good key or not.
func (c *comparison) guarded(s *serving) {
	keys := filepath.Join(c.TempDir(), "keys")
	require.NoError(c,
		os.WriteFile(keys, fmt.Appendf(nil, "%x\n",
			sha256.Sum256([]byte("a key that no request has"))), 0o600))
	s = anotherServing(c.T, s, &serveFlags{apiKeys: keys,
		rate: ratelimit.Rate{Requests: 1, Period: time.Hour}})
	handler := s.handler()
	for i, r := range s.routes() {
		if !r.open {
			c.address = fmt.Sprintf("192.0.2.%d:1", i)
			c.exchange(handler, exchange{route: r.pattern(), status: 401})
			c.exchange(handler, exchange{route: r.pattern(), status: 429})
		}
	}
}

// anotherServing serves the same under other flags.
func anotherServing(t *testing.T, s *serving, f *serveFlags) *serving {
	t.Helper()
	m, mk := s.service.Current()
	another, err := f.newServing(world{model: m, market: mk}, s.logger)
	require.NoError(t, err)
	t.Cleanup(another.service.Close)
	return another
}
