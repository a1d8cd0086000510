//go:build linux

package main

import (
	"bytes"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"tickercast/bench/load"
	"tickercast/predict/fastlane"
)

// serve starts a server with the given timeouts on either path, whose answers are as long as those
// of thirty days.
func serve(t *testing.T, lane bool, header, read, write time.Duration) string {
	t.Helper()
	answer := bytes.Repeat([]byte("x"), 4700)
	srv := &http.Server{
		ReadHeaderTimeout: header, ReadTimeout: read, WriteTimeout: write, IdleTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := r.Body.Read(make([]byte, 1024)); err != nil && err.Error() != "EOF" {
				w.WriteHeader(http.StatusRequestTimeout)
				return
			}
			w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
			w.Write(answer)
		}),
	}
	ln, err := (&net.ListenConfig{Control: smallBuffers}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := fastlane.Config{Listener: ln, Server: srv}
	if lane {
		cfg.Answer = func(*fastlane.Request) (fastlane.Response, bool) {
			return fastlane.Response{Body: answer}, true
		}
	}
	go srv.Serve(fastlane.New(cfg))
	t.Cleanup(func() { srv.Close() })
	return ln.Addr().String()
}

// TestShort has a hundred connections of each kind on each path meet timeouts of a fraction of a
// second: each is ended, none before its time, and a client that is not slow is answered meanwhile.
func TestShort(t *testing.T) {
	const header, read, write = 400 * time.Millisecond, 600 * time.Millisecond,
		800 * time.Millisecond
	timeouts := map[string]time.Duration{"header": header, "body": read, "reader": write}
	for _, p := range paths() {
		for _, k := range kinds() {
			t.Run(p.name+", "+k.name, func(t *testing.T) {
				t.Parallel()
				k.timeout = timeouts[k.name]
				addr := serve(t, p.flags == nil, header, read, write)
				a := &attack{kind: k, addr: addr, every: 50 * time.Millisecond}
				if err := a.start(t.Context(), 100); err != nil {
					t.Fatal(err)
				}
				defer a.stop()
				r, err := load.Run(t.Context(),
					load.Config{Addr: addr, Requests: func(int) func() []byte {
						return func() []byte {
							return load.NewRequest("POST", "/predict", addr,
								[]byte("{}"))
						}
					}, Conns: 1, Rate: 100, Count: 20})
				if err != nil || r.Failed() > 0 {
					t.Errorf("the healthy client: %v, error %v", r, err)
				}
				if left := a.wait(t.Context(), time.Now().Add(10*time.Second)); left > 0 {
					t.Fatalf("%d of 100 connections never ended", left)
				}
				for _, c := range a.conns {
					// The clock of a look is up to a look's interval off, in both directions.
					if c.took < k.timeout-150*time.Millisecond {
						t.Fatalf("ended after %v, before its time of %v", c.took, k.timeout)
					}
				}
			})
		}
	}
}

// TestMissed breaks one target after the other.
func TestMissed(t *testing.T) {
	perfect := func() *trial {
		result := func(p99 time.Duration) *load.Result {
			r := &load.Result{Latency: new(load.Histogram)}
			r.Latency.Record(p99)
			return r
		}
		return &trial{path: path{bytes: 1000}, kind: kind{timeout: time.Second}, each: 999,
			slowest: 2 * time.Second, before: result(4 * time.Millisecond),
			while: result(6 * time.Millisecond)}
	}
	for want, breaks := range map[string]func(*trial){
		"":                      func(*trial) {},
		"never ended":           func(t *trial) { t.left = 1 },
		"the slowest":           func(t *trial) { t.slowest += 1 },
		"bytes":                 func(t *trial) { t.each = 1000 },
		"never a time":          func(t *trial) { t.each = 0 },
		"p99":                   func(t *trial) { t.while.Latency.Record(7 * time.Millisecond) },
		"requests":              func(t *trial) { t.while.Unsent = 1 },
		"probes":                func(t *trial) { t.unhealthy.Add(1) },
		"the server has exited": func(t *trial) { t.exited = true },
	} {
		tr := perfect()
		breaks(tr)
		missed := tr.missed()
		if want == "" && len(missed) > 0 || want != "" &&
			(len(missed) != 1 || !strings.Contains(missed[0], want)) {
			t.Errorf("%q broken: missed %q", want, missed)
		}
	}
	var out bytes.Buffer
	if !report(&out, []*trial{perfect()}) || !strings.Contains(out.String(),
		"no other client noticed") {
		t.Errorf("report of one that met everything:\n%s", &out)
	}
}

// TestSocketMemory leaves unread what is many times what others on the machine have in buffers for
// a moment.
func TestSocketMemory(t *testing.T) {
	const sockstat = "sockets: used 517\nTCP: inuse 508 orphan 1 tw 6227 alloc 509 mem " +
		"506\nUDP: inuse 3 mem 7\n"
	if got := tcpPages(sockstat); got != 506 {
		t.Errorf("got %d pages, want 506", got)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	before := socketMemory()
	var sent int64
	for range 8 {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
		n, _ := c.Write(make([]byte, 4<<20)) // nobody accepts, nobody reads
		sent += int64(n)
	}
	if grown := socketMemory() - before; grown < sent/2 || sent < 1<<20 {
		t.Errorf("%d bytes more in socket buffers after sending %d", grown, sent)
	}
}
