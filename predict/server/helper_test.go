package server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict/server"
)

// watched is how long a server takes to see that a file has changed: three polls, as it waits until
// the file is the same at two of them.
var watched = 3 * server.Default().WatchInterval

// patience is how long a test waits before it fails: for a start with prices, on a busy machine.
const patience = time.Minute

// A running is a server that Run serves in this process.
type running struct {
	server.Info
	public, admin port
	stop, hangup  chan os.Signal // what the server takes for the signals of its process
	cancel        func()         // ends the context of Run
	log           lockedBuffer   // of the server: a JSON object a line

	ready  chan server.Info
	ended  chan struct{} // closed when Run has returned err
	err    error
	seen   bool // the test has looked at err
	client *http.Client
	tb     testing.TB
}

// start serves until the test ends, with the settings of server.Default, what the binary embeds and
// the settings that change makes. In the end Run must return in time, and without an error unless
// the test has called end.
func start(t testing.TB, n network, change func(*server.Config)) *running {
	t.Helper()
	r := launch(t, n, change)
	r.awaitReady()
	return r
}

// launch is start, but for tests of the start: the server may not be ready yet.
func launch(t testing.TB, n network, change func(*server.Config)) *running {
	t.Helper()
	r := &running{
		stop:   make(chan os.Signal, 2),
		hangup: make(chan os.Signal, 1),
		ready:  make(chan server.Info, 1),
		ended:  make(chan struct{}),
		client: n.client(),
		tb:     t,
	}
	cfg := server.Default()
	cfg.Addr, cfg.AdminAddr = n.public, n.admin
	cfg.HealthSocket = "" // one name is for one server
	if n.listen != nil {
		cfg.Listen = n.listen
	}
	cfg.Load = loadEmbedded
	cfg.CalibrationDays = 0 // only tests of it pay for it
	cfg.Logger = slog.New(slog.NewJSONHandler(&r.log, nil))
	cfg.Signals = server.Signals{Stop: r.stop, Hangup: r.hangup}
	cfg.OnReady = func(i server.Info) { r.ready <- i }
	cfg.FastLane = n.road.lane
	if n.road.tls {
		chain, key := newCertificate(t, "any")
		cfg.TLSCert, cfg.TLSKey = tempFile(t, "cert", chain), tempFile(t, "key", key)
	}
	if change != nil {
		change(&cfg)
	}
	s, err := server.New(cfg)
	require.NoError(t, err)
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(context.Background()) // t's ends before its cleanups
	go func() {
		defer close(r.ended)
		r.err = s.Run(ctx)
	}()
	// With port 0 the addresses are those of OnReady.
	r.public = port{r.client, n, cfg.Addr, n.road}
	r.admin = port{r.client, n, cfg.AdminAddr, road{}}
	t.Cleanup(r.finish)
	return r
}

// awaitReady waits until the server answers.
func (r *running) awaitReady() {
	r.tb.Helper()
	select {
	case r.Info = <-r.ready:
		r.public.addr, r.admin.addr = r.Info.Addr, r.Info.AdminAddr
	case <-r.ended:
		r.seen = true
		r.tb.Fatalf("Run returned before the server was ready: %v", r.err)
	case <-time.After(patience):
		r.tb.Fatalf("the server was not ready after %v", patience)
	}
}

// end waits until Run returns, and returns its error.
func (r *running) end() error {
	r.tb.Helper()
	r.seen = true
	select {
	case <-r.ended:
		return r.err
	case <-time.After(patience):
		r.tb.Fatalf("Run did not return within %v", patience)
		return nil
	}
}

// finish ends the server with its test.
func (r *running) finish() {
	defer r.cancel()
	r.client.CloseIdleConnections()
	select {
	case r.stop <- os.Interrupt:
	default: // the test has sent signals that are still in the channel
	}
	select {
	case <-r.ended:
		if r.err != nil && !r.seen {
			r.tb.Errorf("Run: %v", r.err)
		}
	case <-time.After(patience):
		r.tb.Errorf("Run did not return within %v of an interrupt", patience)
	}
	if r.tb.Failed() {
		r.tb.Logf("log of the server:\n%s", r.log.String())
	}
}

// metrics are what the admin port says of the server.
func (r *running) metrics() string {
	r.tb.Helper()
	status, text := r.admin.get(r.tb, "/metrics")
	require.Equal(r.tb, http.StatusOK, status)
	return text
}

// metric is the value of a series as it is written, or "" if there is no such series.
func (r *running) metric(series string) string {
	r.tb.Helper()
	for line := range strings.Lines(r.metrics()) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// A port is one that a server listens on.
type port struct {
	client  *http.Client
	network network
	addr    string
	road    road
}

// ask sends a request with headers, each "Name: value", and returns the answer with its body read.
func (p port) ask(t testing.TB, method, path, body string,
	headers ...string) (*http.Response, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, p.road.scheme()+"://"+p.addr+path,
		strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	resp, err := p.client.Do(req)
	require.NoError(t, err)
	_, text := readAll(t, resp)
	return resp, text
}

func (p port) get(t testing.TB, path string) (status int, body string) {
	t.Helper()
	resp, body := p.ask(t, "GET", path, "")
	return resp.StatusCode, body
}

func (p port) post(t testing.TB, path, body string) (status int, answer string) {
	t.Helper()
	resp, answer := p.ask(t, "POST", path, body)
	return resp.StatusCode, answer
}

// connect opens a connection for bytes of the test's own, until the test ends. Nothing on it takes
// longer than patience.
func (p port) connect(t testing.TB) net.Conn {
	t.Helper()
	c, err := p.network.dial(p.addr)
	require.NoError(t, err)
	if p.road.http2 {
		c.Close()
		t.Skip("the rest is about bytes of HTTP/1.1")
	}
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	if p.road.tls {
		secure := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
		require.NoError(t, secure.Handshake())
		c = secure
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// raw sends a request with just these headers, and a Host unless there is one.
func (p port) raw(t testing.TB, method, path string, headers ...string) *http.Response {
	t.Helper()
	c := p.connect(t)
	request := method + " " + path + " HTTP/1.1\r\nContent-Length: 0\r\nConnection: close\r\n" +
		strings.Join(headers, "\r\n") + "\r\n"
	if !strings.Contains(request, "Host:") {
		request += "Host: 127.0.0.1\r\n"
	}
	_, err := io.WriteString(c, request+"\r\n")
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	readAll(t, resp)
	return resp
}

func readAll(t testing.TB, resp *http.Response) (int, string) {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(body)
}

// A lockedBuffer is written and read by several goroutines.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// terminate sends the server the signal to drain, and waits in a bubble until it has begun. Call
// end then.
func (r *running) terminate() {
	r.stop <- syscall.SIGTERM
	synctest.Wait()
}

// hangUp sends the server the signal to reload, and waits in a bubble until it has.
func (r *running) hangUp() {
	r.hangup <- syscall.SIGHUP
	synctest.Wait()
}
