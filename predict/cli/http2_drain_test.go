package cli_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestHTTP2Drain replaces servers behind a balancer while clients of three kinds ask over HTTP/2:
// Go's, httpx and Java's HttpClient, each one request after the other and several at once. Those
// also send bodies that are too long. Whatever a server has answered, its client must have got, so
// no stream is lost that a GOAWAY does not refuse. Clients repeat what is refused, with these
// exceptions:
//
//   - httpx does not repeat a request that it is just sending, when another one reads the GOAWAY.
//     On a busy machine that happens now and then.
//   - Java's HttpClient gives up everything at a GOAWAY: it tells its caller, or if the request is
//     made at that very moment, lets it wait until its time is over.
//
// TICKERCAST_HTTP2_DRAINS says how many servers end. TICKERCAST_HTTPX_PYTHON is a python that has
// httpx.
func TestHTTP2Drain(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("many processes")
	}
	drains, _ := rounds(t, "TICKERCAST_HTTP2_DRAINS", 2)
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	chain, key := newCertificate(t, "balanced")
	replaceFile(t, certFile, chain)
	replaceFile(t, keyFile, key)
	answered := answerCounter{}
	launch := func() *process {
		log := answered.file(t)
		defer log.Close() // the server has its own
		return startWith(t, log, "-tls-cert", certFile, "-tls-key", keyFile,
			"-access-log", "all", "-drain-delay", "2s")
	}
	server := launch()
	b := balance(t, server.addr)
	clients := http2Clients(t, "https://"+b.addr+"/predict")

	for range drains {
		next := launch()
		require.NoError(t, server.Process.Signal(syscall.SIGTERM))
		time.Sleep(500 * time.Millisecond) // the balancer learns of it late
		b.to.Store(&next.addr)
		require.Equal(t, 0, server.waitExit(t, time.Minute), server.logged())
		server = next
	}
	results := map[string]http2Result{}
	for _, c := range clients {
		results[c.name] = c.end(t)
	}
	require.NoError(t, server.Process.Signal(syscall.SIGTERM))
	require.Equal(t, 0, server.waitExit(t, time.Minute), server.logged())
	answered.wait(t)

	for _, c := range clients {
		r := results[c.name]
		t.Logf("%s: %d servers answered %d requests, %d answers came; errors: %v", c.name,
			drains+1, answered.of(c.name), r.Answers, r.Errors)
		require.Equal(t, answered.of(c.name), r.Answers, "%s: answers were lost", c.name)
		refused := 0
		for why, n := range r.Errors {
			if c.mayGiveUp != nil && c.mayGiveUp.MatchString(why) {
				refused += n
				delete(r.Errors, why)
			}
		}
		require.Empty(t, r.Errors, c.name)
		require.LessOrEqual(t, refused, drains*(c.loops+1), c.name)
		require.Greater(t, r.Answers, 10*drains, c.name)
	}
}

// A balancer passes connections on.
type balancer struct {
	addr string
	to   atomic.Pointer[string]
}

func balance(t *testing.T, to string) *balancer {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b := &balancer{addr: ln.Addr().String()}
	b.to.Store(&to)
	var passing sync.WaitGroup
	t.Cleanup(func() {
		ln.Close()
		passing.Wait()
	})
	passing.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			passing.Go(func() { b.pass(c) })
		}
	})
	return b
}

func (b *balancer) pass(c net.Conn) {
	defer c.Close()
	s, err := net.Dial("tcp", *b.to.Load())
	if err != nil {
		return
	}
	defer s.Close()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		io.Copy(s, c)
		s.(*net.TCPConn).CloseWrite()
	}()
	io.Copy(c, s)
	c.Close()
	<-sent
}

// An answerCounter counts the answers in the access logs of servers by the request ids.
type answerCounter struct {
	readers sync.WaitGroup
	mu      sync.Mutex
	by      map[string]int
}

var loggedAnswer = regexp.MustCompile(`"id":"([a-z0-9-]+)".*"status":(200|413)\b`)

// file returns where a server is to write its log. It must be the server's only.
func (a *answerCounter) file(t *testing.T) *os.File {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	a.readers.Go(func() {
		defer r.Close()
		var all bytes.Buffer
		io.Copy(&all, r)
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.by == nil {
			a.by = map[string]int{}
		}
		for _, m := range loggedAnswer.FindAllSubmatch(all.Bytes(), -1) {
			a.by[string(m[1])]++
		}
	})
	return w
}

// wait waits for the end of all logs.
func (a *answerCounter) wait(t *testing.T) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		a.readers.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("a log has no end")
	}
}

func (a *answerCounter) of(name string) int { return a.by[name] }

// An http2Result is what a client says at its end.
type http2Result struct {
	Answers int
	Errors  map[string]int
}

func parseResult(t *testing.T, b []byte) (r http2Result) {
	t.Helper()
	require.NoError(t, json.Unmarshal(b, &r), "%s", b)
	return r
}
