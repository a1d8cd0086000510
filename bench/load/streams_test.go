package load

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// h2Server is net/http with TLS and HTTP/2.
func h2Server(t *testing.T, h http.HandlerFunc) (addr string,
	dial func(context.Context) (net.Conn, error)) {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	addr = srv.Listener.Addr().String()
	d := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}}
	return addr, func(ctx context.Context) (net.Conn, error) {
		return d.DialContext(ctx, "tcp", addr)
	}
}

// TestStreams has net/http judge the frames: every request must come as it was given, and each
// answer, short or of several frames, must be counted once with its status.
func TestStreams(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	addr, dial := h2Server(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		seen[r.Proto+" "+r.Method+" "+r.URL.Path+" "+r.Host+" "+
			r.Header.Get("Content-Type")+" "+string(body)]++
		mu.Unlock()
		switch r.URL.Path {
		case "/none":
			w.WriteHeader(http.StatusNotFound)
		case "/busy":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/long":
			w.Write(make([]byte, 300_000))
		default:
			w.Write([]byte("{}"))
		}
	})
	long := "/" + strings.Repeat("x", 300)
	requests := [][]byte{
		NewRequest("POST", "/predict", addr, []byte(`{"a":1}`)),
		NewRequest("GET", "/none", addr, nil),
		NewRequest("GET", "/long", addr, nil),
		NewRequest("GET", "/busy", addr, nil),
		NewRequest("GET", long, addr, nil),
	}
	const each = 200
	r, err := Run(t.Context(), Config{Addr: addr, Dial: dial, Conns: 2, Streams: 8,
		Count: int64(each * len(requests)), Duration: time.Hour,
		Requests: func(int) func() []byte {
			i := 0
			return func() []byte { i++; return requests[i%len(requests)] }
		}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Answers != int64(each*len(requests)) || len(r.Errors) > 0 {
		t.Fatalf("%d answers, errors %v", r.Answers, r.Errors)
	}
	total := int64(0)
	for status, n := range r.Statuses {
		total += n
		if status != 200 && status != 404 && status != 599 || n == 0 {
			t.Errorf("%d answers with status %d", n, status)
		}
	}
	if r.Statuses[200] <= r.Statuses[404] || total != r.Answers {
		t.Errorf("statuses %v", r.Statuses)
	}
	for _, want := range []string{
		"HTTP/2.0 POST /predict " + addr + ` application/json {"a":1}`,
		"HTTP/2.0 GET /none " + addr + "  ",
		"HTTP/2.0 GET " + long + " " + addr + "  ",
	} {
		if seen[want] == 0 {
			t.Errorf("the server did not see %.80q", want)
		}
	}
}

// TestStreamsEndWithTheServer: a server that goes away is an error of each request that waits.
func TestStreamsEndWithTheServer(t *testing.T) {
	addr, dial := h2Server(t, func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler) // resets the stream
	})
	r, err := Run(t.Context(), Config{Addr: addr, Dial: dial, Conns: 1, Streams: 4, Count: 4,
		Duration: time.Hour, Requests: func(int) func() []byte {
			return func() []byte { return NewRequest("GET", "/", addr, nil) }
		}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Answers != 0 || r.Errors["closed"] == 0 {
		t.Errorf("%d answers, errors %v; want none and closed", r.Answers, r.Errors)
	}
}
