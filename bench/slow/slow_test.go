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

// serverWithTimeouts starts a server on either path whose answers are as long as those of thirty
// days.
func serverWithTimeouts(t *testing.T, lane bool, header, read, write time.Duration) string {
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
		cfg.Routes = []fastlane.Route{{Method: "POST", Path: "/predict",
			Answer: func(*fastlane.Request) (fastlane.Response, bool) {
				return fastlane.Response{Body: answer}, true
			}}}
	}
	go srv.Serve(fastlane.New(cfg))
	t.Cleanup(func() { srv.Close() })
	return ln.Addr().String()
}

// TestShort opens a hundred connections in each scenario, with timeouts of a fraction of a second.
// Each must end, none before its time, and an ordinary client must be answered meanwhile.
func TestShort(t *testing.T) {
	const (
		header = 400 * time.Millisecond
		read   = 600 * time.Millisecond
		write  = 800 * time.Millisecond
	)
	timeouts := map[string]time.Duration{"header": header, "body": read, "reader": write}
	for _, p := range paths() {
		for _, s := range scenarios() {
			t.Run(p.name+", "+s.name, func(t *testing.T) {
				t.Parallel()
				s.timeout = timeouts[s.name]
				addr := serverWithTimeouts(t, p.flags == nil, header, read, write)
				a := &attack{scenario: s, addr: addr, drip: 50 * time.Millisecond}
				if err := a.start(t.Context(), 100); err != nil {
					t.Fatal(err)
				}
				defer a.stop()
				request := load.NewRequest("POST", "/predict", addr, []byte("{}"))
				r, err := load.Run(t.Context(), load.Config{Addr: addr,
					Requests: func(int) func() []byte { return func() []byte { return request } },
					Conns:    1, Rate: 100, Count: 20})
				if err != nil || r.Failed() > 0 {
					t.Errorf("the ordinary client: %v, error %v", r, err)
				}
				if left := a.wait(t.Context(), 10*time.Second); left > 0 {
					t.Fatalf("%d of 100 connections never ended", left)
				}
				for _, c := range a.conns {
					// Times are off by up to the interval of polling, in both directions.
					if c.took < s.timeout-150*time.Millisecond {
						t.Fatalf("ended after %v, before its time of %v", c.took, s.timeout)
					}
				}
			})
		}
	}
}

// TestMissed breaks one target after the other of a run that meets them all.
func TestMissed(t *testing.T) {
	perfect := func() *run {
		return &run{path: path{bytes: 1000}, scenario: scenario{timeout: time.Second}, each: 999,
			slowest: 2 * time.Second, before: probeResult{P99: 4 * time.Millisecond},
			while: probeResult{P99: 6 * time.Millisecond}}
	}
	for want, breaks := range map[string]func(*run){
		"":                      func(*run) {},
		"never ended":           func(t *run) { t.left = 1 },
		"the slowest":           func(t *run) { t.slowest += 1 },
		"bytes":                 func(t *run) { t.each = 1000 },
		"never a time":          func(t *run) { t.each = 0 },
		"p99":                   func(t *run) { t.while.P99 = 7 * time.Millisecond },
		"requests":              func(t *run) { t.while.Failed = 1 },
		"probes":                func(t *run) { t.unhealthy = 1 },
		"the server has exited": func(t *run) { t.exited = true },
	} {
		r := perfect()
		breaks(r)
		missed := r.missed()
		if want == "" && len(missed) > 0 || want != "" &&
			(len(missed) != 1 || !strings.Contains(missed[0], want)) {
			t.Errorf("%q broken: missed %q", want, missed)
		}
	}
	var out bytes.Buffer
	if !report(&out, []*run{perfect()}) || !strings.Contains(out.String(),
		"no other client noticed") {
		t.Errorf("report of one that met everything:\n%s", &out)
	}
}
