package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tickercast/bench/command"
	"tickercast/bench/load"
)

// listServer answers every request with an empty list.
func listServer(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Write([]byte("[]"))
	}))
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String()
}

func TestRun(t *testing.T) {
	addr := listServer(t)
	for _, args := range []string{"-mix hit -rate 0", "-mix miss -rate 2000",
		"-mix mixed -rate 2000 -poisson", "-body {} -path /x -rate 0"} {
		var out, stderr bytes.Buffer
		args := append(strings.Fields(args), "-addr", addr, "-count", "100", "-warmup", "0",
			"-json")
		if err := run(t.Context(), args, &out, &stderr); err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		var r struct {
			Answers  int64
			Statuses map[int]int64
			Latency  struct{ Count int64 }
		}
		if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.Answers != 100 ||
			r.Statuses[200] != 100 || r.Latency.Count != 100 {
			t.Errorf("%v: %d answers, error %v, want 100", args, r.Answers, err)
		}
		if stderr.Len() > 0 {
			t.Errorf("%v: wrote %q into a pipe", args, &stderr)
		}
	}
}

func TestKnee(t *testing.T) {
	var out, steps bytes.Buffer
	args := []string{"-addr", listServer(t), "-knee", "-rate", "1000000", "-duration", "20ms",
		"-warmup", "0", "-conns", "1", "-p99", "1ns", "-json"}
	if err := run(t.Context(), args, &out, &steps); err != nil {
		t.Fatal(err)
	}
	var k load.Knee
	if err := json.Unmarshal(out.Bytes(), &k); err != nil || k.Rate != 0 || len(k.Steps) != 2 ||
		!strings.Contains(steps.String(), "beyond the knee") {
		t.Errorf("%s%s: want no rate with a p99 under 1 ns", &steps, &out)
	}
}

func TestUsage(t *testing.T) {
	for args, want := range map[string]string{
		"-mix nonsense": `no mix "nonsense", want one of batch, batchmiss, get, h`,
		"-rate x":       "invalid value",
		"more":          `unexpected argument "more"`,
	} {
		err := run(t.Context(), strings.Fields(args), io.Discard, io.Discard)
		if !errors.Is(err, command.ErrUsage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want a usage error with %q", args, err, want)
		}
	}
	if err := run(t.Context(), []string{"-addr", "192.0.2.7:80"}, io.Discard,
		io.Discard); err == nil || errors.Is(err, command.ErrUsage) {
		t.Errorf("a target elsewhere: error %v", err)
	}
}
