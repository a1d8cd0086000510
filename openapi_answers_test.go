package main

import (
	"crypto/sha256"
	"encoding/json"
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

	"tickercast/docs"
	"tickercast/predict/ratelimit"
)

// An exchange is a request and the status that it leads to.
type exchange struct {
	route  string // method and path, as the document has them
	target string // empty means the route's path
	header string // "Name: value", or empty
	body   io.Reader
	status int
}

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
		{route: "POST /predict/batch", body: text(`{"requests":[{"ticker":"AAPL"},{"ticker":"AAPL","levels":[0.9]},{"ticker":"ZZZZQ"}]}`), status: 200},
		{route: "POST /predict/batch", header: "Accept: application/x-ndjson", body: text(`{"requests":[{"ticker":"ZZZZQ"}]}`), status: 200},
		{route: "POST /predict/batch", body: text("\"\xff\""), status: 400},
		{route: "POST /predict/batch", body: failing{os.ErrDeadlineExceeded}, status: 408},
		{route: "POST /predict/batch", body: text(strings.Repeat(" ", 1<<20+1)), status: 413},
		{route: "POST /predict/batch", body: text(`{"requests":{}}`), status: 422},
		{route: "GET /predict/{ticker}", target: "/predict/AAPL?days_ahead=2", status: 200},
		{route: "GET /predict/{ticker}", target: "/predict/AAPL", header: "If-None-Match: *", status: 304},
		{route: "GET /predict/{ticker}", target: "/predict/ZZZZQ", status: 404},
		{route: "GET /predict/{ticker}", target: "/predict/AAPL?days_ahead=31", status: 422},
		{route: "GET /tickers", target: "/tickers?q=AAPL&limit=1", status: 200},
		{route: "GET /tickers", target: "/tickers?limit=0", status: 422},
		{route: "GET /tickers/{ticker}", target: "/tickers/AAPL?limit=2", status: 200},
		{route: "GET /tickers/{ticker}", target: "/tickers/ZZZZQ", status: 404},
		{route: "GET /tickers/{ticker}", target: "/tickers/" + long, status: 422},
		{route: "GET /model", status: 200},
		{route: "GET /health", status: 200},
		{route: "GET /livez", status: 200},
		{route: "GET /readyz", status: 200},
		{route: "GET /docs/{asset}", target: "/docs/app.js", status: 200},
		{route: "GET /docs/{asset}", target: "/docs/icon.svg", status: 200},
		{route: "GET /docs/{asset}", target: "/docs/nope.js", status: 404},
	}
	for route, target := range map[string]string{"GET /docs": "/docs", "GET /docs/{asset}": "/docs/app.css", "GET /openapi.json": "/openapi.json"} {
		list = append(list,
			exchange{route: route, target: target, status: 200},
			exchange{route: route, target: target, header: "If-None-Match: *", status: 304})
	}
	return list
}

// failing is a body that breaks off with an error, or panics where there is none to give.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err == nil {
		panic(errors.New("a fault of the server's own"))
	}
	return 0, f.err
}

// TestEveryStatusIsReached holds the document to the server: what comes is in it, with that type and the shape of its
// example, and nothing is in it that does not come.
func TestEveryStatusIsReached(t *testing.T) {
	answers := documentedAnswers(t)
	unseen := map[string]bool{} // route, status and type
	for key, d := range answers {
		for kind := range d.Content {
			unseen[key+" "+kind] = true
		}
		if len(d.Content) == 0 {
			unseen[key+" "] = true
		}
	}
	s := embeddedServing(t)
	handler := s.handler()
	address := "192.0.2.1:1" // of the client
	send := func(method string, e exchange) {
		t.Helper()
		req := httptest.NewRequestWithContext(t.Context(), method, e.target, e.body)
		req.Header.Set("Content-Type", "application/json")
		if name, value, ok := strings.Cut(e.header, ": "); ok {
			req.Header.Set(name, value)
		}
		if _, ok := e.body.(failing); ok {
			req.ContentLength = 10
		}
		req.RemoteAddr = address
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, req)
		require.Equal(t, e.status, rec.Code, "%s %s: %s", method, e.target, rec.Body)
		key := fmt.Sprintf("%s %d", e.route, e.status)
		d, ok := answers[key]
		require.True(t, ok, "%s is not in the document: %s", key, rec.Body)
		delete(unseen, key+" "+d.fits(t, key, rec.Header(), rec.Body.Bytes()))
	}
	for _, e := range exchanges() {
		method, path, _ := strings.Cut(e.route, " ")
		if e.target == "" {
			e.target = path
		}
		send(method, e)
	}
	s.draining.Store(true)
	send("GET", exchange{route: "GET /readyz", target: "/readyz", status: 503})
	s.draining.Store(false)

	// What every route answers before its handler is reached.
	srv := httptest.NewUnstartedServer(nil)
	srv.Config = newHTTPServer(handler, s.logger)
	srv.Start()
	defer srv.Close()
	for _, r := range s.routes() {
		route := r.pattern()
		target := strings.NewReplacer("{ticker}", "AAPL", "{asset}", "app.css").Replace(r.path)
		send(r.method, exchange{route: route, target: target + "/", status: 307})
		send("DELETE", exchange{route: route, target: target, status: 405})
		c, err := net.Dial("tcp", srv.Listener.Addr().String())
		require.NoError(t, err)
		_, err = fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", r.method, target, strings.Repeat("x", 16<<10))
		require.NoError(t, err)
		answer, _ := io.ReadAll(c) // a server that refuses may reset the connection after its answer
		c.Close()
		require.Contains(t, string(answer), "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain", route)
		delete(unseen, route+" 431 text/plain")
		delete(unseen, route+" 500 application/json") // a handler with a fault was seen above, and stands for all
	}

	// A server that wants keys and counts requests: one an hour from each address, good or not.
	keys := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(keys, fmt.Appendf(nil, "%x\n", sha256.Sum256([]byte("a key that no request has"))), 0o600))
	m, mk := s.service.Current()
	s, err := (&serveFlags{apiKeys: keys, rate: ratelimit.Rate{Requests: 1, Period: time.Hour}}).newServing(world{model: m, market: mk}, s.logger)
	require.NoError(t, err)
	defer s.service.Close()
	handler = s.handler()
	for i, r := range s.routes() {
		if r.open {
			continue
		}
		address = fmt.Sprintf("192.0.2.%d:1", i)
		target := strings.ReplaceAll(r.path, "{ticker}", "AAPL")
		send(r.method, exchange{route: r.pattern(), target: target, status: 401})
		send(r.method, exchange{route: r.pattern(), target: target, status: 429})
	}
	require.Empty(t, slices.Sorted(maps.Keys(unseen)), "in the document, but the server was not seen to answer it")
}

// documentedAnswers are by method, path and status.
func documentedAnswers(t *testing.T) map[string]described {
	t.Helper()
	var doc struct {
		Paths      map[string]map[string]struct{ Responses map[string]described }
		Components struct{ Responses map[string]described }
	}
	require.NoError(t, json.Unmarshal(docs.JSON(), &doc))
	answers := map[string]described{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			for status, d := range op.Responses {
				if name, ok := strings.CutPrefix(d.Ref, "#/components/responses/"); ok {
					d = doc.Components.Responses[name]
				}
				answers[strings.ToUpper(method)+" "+path+" "+status] = d
			}
		}
	}
	return answers
}

// described is an answer as the document has it.
type described struct {
	Ref     string `json:"$ref"`
	Headers map[string]any
	Content map[string]struct {
		Example  any
		Examples map[string]struct{ Value any }
	}
}

// fits holds an answer to its description: the headers, the type, and for JSON the fields of an example. It returns the
// type.
func (d described) fits(t *testing.T, key string, header http.Header, body []byte) string {
	t.Helper()
	for name := range d.Headers {
		require.NotEmpty(t, header.Get(name), "%s: header %s", key, name)
	}
	if len(d.Content) == 0 {
		require.Empty(t, body, key)
		return ""
	}
	kind, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	media, ok := d.Content[kind]
	require.True(t, ok, "%s: comes as %q", key, kind)
	examples := []any{media.Example}
	for _, e := range media.Examples {
		examples = append(examples, e.Value)
	}
	if kind != "application/json" || len(examples) == 1 && media.Example == nil {
		return kind
	}
	var got any
	require.NoError(t, json.Unmarshal(body, &got), key)
	var want []string
	for _, e := range examples {
		want = append(want, shape(e))
	}
	require.Contains(t, want, shape(got), "%s: none of its examples is like %s", key, body)
	return kind
}

// shape is a value without its contents: field names and kinds, of a list the shapes that occur in it. What was wrong
// with a request decides the input and the ctx of an error, so those are left out.
func shape(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var fields []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if name != "input" && name != "ctx" {
				fields = append(fields, name+":"+shape(v[name]))
			}
		}
		return "{" + strings.Join(fields, ",") + "}"
	case []any:
		kinds := map[string]bool{}
		for _, e := range v {
			kinds[shape(e)] = true
		}
		return "[" + strings.Join(slices.Sorted(maps.Keys(kinds)), "|") + "]"
	default:
		return fmt.Sprintf("%T", v)
	}
}
