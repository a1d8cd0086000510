package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"tickercast/bench/load"
	"tickercast/bench/proc"
)

func binary(b *testing.B) string {
	b.Helper()
	if path := os.Getenv("TICKERCAST_BENCH_BINARY"); path != "" {
		return path
	}
	built.Do(func() {
		if _, built.err = exec.LookPath("go"); built.err != nil {
			return
		}
		if built.dir, built.err = os.MkdirTemp("", "tickercast-bench"); built.err != nil {
			return
		}
		built.path = filepath.Join(built.dir, "tickercast")
		cmd := exec.Command("go", "build", "-o", built.path, "..")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("go build: %w: %s", err, out)
		}
	})
	if errors.Is(built.err, exec.ErrNotFound) {
		b.Skip("no go command to build the server with")
	}
	if built.err != nil {
		b.Fatal(built.err)
	}
	return built.path
}

// start runs a server on CPU 0, where the machine has one to spare.
func start(b *testing.B, ready string, cfg proc.Config) (*proc.Server, string) {
	b.Helper()
	addr, err := proc.FreeAddr()
	if err != nil {
		b.Fatal(err)
	}
	for i, arg := range cfg.Args {
		if arg == "ADDR" {
			cfg.Args[i] = addr
		}
	}
	for i, v := range cfg.Env {
		if v == "TICKERCAST_BENCH_REFERENCE=ADDR" {
			cfg.Env[i] = "TICKERCAST_BENCH_REFERENCE=" + addr
		}
	}
	cfg.Pin = proc.CanPin() == nil
	cfg.Ready = "http://" + addr + ready
	s, err := proc.Start(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Stop)
	return s, addr
}

func tickercast(b *testing.B, flags ...string) (*proc.Server, string) {
	b.Helper()
	args := append([]string{binary(b), "serve", "-addr", "ADDR", "-admin-addr", "", "-drain-delay",
		"0s"}, flags...)
	return start(b, "/health", proc.Config{Args: args})
}

func reference(b *testing.B) (*proc.Server, string) {
	b.Helper()
	return start(b, "/", proc.Config{Args: []string{os.Args[0]},
		Env: []string{"TICKERCAST_BENCH_REFERENCE=ADDR"}})
}

// warm asks once for each key of the Hit mix.
func warm(b *testing.B, addr string) {
	b.Helper()
	drive(b, load.Config{Addr: addr, Requests: Hit(addr), Conns: 1, Count: int64(len(HitBodies()))})
}

// drive runs a load that no request may fail.
func drive(b *testing.B, cfg load.Config) *load.Result {
	b.Helper()
	r, err := load.Run(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	if r.Failed() > 0 || r.Answers == 0 {
		b.Fatalf("not every request was answered with a forecast:\n%s", r)
	}
	return r
}

func usage(b *testing.B, s *proc.Server) proc.Usage {
	b.Helper()
	u, err := s.Usage()
	if err != nil {
		b.Fatal(err)
	}
	return u
}

// closedLoop sends b.N requests over 64 connections as fast as they go, and reports what they cost
// the server.
func closedLoop(b *testing.B, s *proc.Server, addr string, mix Mix) {
	b.Helper()
	before := usage(b, s)
	b.ResetTimer()
	r := drive(b, load.Config{Addr: addr, Requests: mix, Conns: 64, Count: int64(b.N),
		Duration: time.Hour})
	b.StopTimer()
	after := usage(b, s)
	n := float64(r.Answers)
	b.ReportMetric(r.PerSecond, "req/s")
	b.ReportMetric((after.CPU-before.CPU).Seconds()*1e6/n, "server-us/op")
	b.ReportMetric(r.GeneratorCPU, "client-us/op")
	b.ReportMetric(float64(after.Memory)/1e6, "server-MB")
}

// BenchmarkLoopbackReference is the closed loop against net/http with a canned reply: what the
// others are compared with.
func BenchmarkLoopbackReference(b *testing.B) {
	s, addr := reference(b)
	closedLoop(b, s, addr, Hit(addr))
}

// BenchmarkLoopbackHit is the closed loop against the server as it is shipped, every answer in its
// cache.
func BenchmarkLoopbackHit(b *testing.B) {
	s, addr := tickercast(b)
	warm(b, addr)
	closedLoop(b, s, addr, Hit(addr))
}

// BenchmarkLoopbackHitNetHTTP is the same with the fast lane off.
func BenchmarkLoopbackHitNetHTTP(b *testing.B) {
	s, addr := tickercast(b, "-fastlane=false")
	warm(b, addr)
	closedLoop(b, s, addr, Hit(addr))
}

// BenchmarkLoopbackMiss is the closed loop with no answer in the cache.
func BenchmarkLoopbackMiss(b *testing.B) {
	s, addr := tickercast(b)
	closedLoop(b, s, addr, Miss(addr))
}

// BenchmarkLoopbackBatch is one connection that asks for a thousand cached forecasts in each call.
// ns/op is for a call.
func BenchmarkLoopbackBatch(b *testing.B) {
	s, addr := tickercast(b)
	before := usage(b, s)
	b.ResetTimer()
	r := drive(b, load.Config{
		Addr: addr, Requests: Batch(addr), Conns: 1, Count: int64(b.N), Duration: time.Hour,
		Check: func(_ int, answer []byte) error {
			if n := bytes.Count(answer, []byte(`"predictions":`)); n != BatchSize {
				return fmt.Errorf("%d forecasts in an answer, want %d", n, BatchSize)
			}
			return nil
		},
	})
	b.StopTimer()
	n := float64(r.Answers * BatchSize)
	b.ReportMetric(n/r.Seconds, "predictions/s")
	b.ReportMetric((usage(b, s).CPU-before.CPU).Seconds()*1e9/n, "server-ns/prediction")
}

// BenchmarkOpenLoop1000 sends the Mixed stream at a thousand requests a second, whatever the server
// does. Run it for long: -benchtime 30s has p99.9 rest on thirty requests. ns/op is the time
// between two requests and means nothing.
func BenchmarkOpenLoop1000(b *testing.B) {
	_, addr := tickercast(b)
	b.ResetTimer()
	openLoop(b, load.Config{Addr: addr, Requests: Mixed(addr), Conns: 64, Rate: 1000,
		Count: int64(b.N), Duration: time.Hour})
}

// BenchmarkOpenLoop10000Connections sends ten thousand requests a second over as many connections,
// for two seconds each time.
func BenchmarkOpenLoop10000Connections(b *testing.B) {
	_, addr := tickercast(b)
	for b.Loop() {
		openLoop(b, load.Config{Addr: addr, Requests: Mixed(addr), Conns: 10_000, Rate: 10_000,
			Duration: 2 * time.Second})
	}
}

func openLoop(b *testing.B, cfg load.Config) {
	b.Helper()
	cfg.Warmup = 300 * time.Millisecond
	r := drive(b, cfg)
	for name, q := range map[string]float64{"p50-us": 0.5, "p99-us": 0.99, "p99.9-us": 0.999} {
		b.ReportMetric(float64(r.Latency.Quantile(q).Nanoseconds())/1e3, name)
	}
	b.ReportMetric(100*r.Latency.ShareAbove(100*time.Millisecond), "%>100ms")
	b.ReportMetric(r.PerSecond, "req/s")
}

// BenchmarkStart is the time from exec to the first answer, and the memory that the server holds
// then.
func BenchmarkStart(b *testing.B) {
	binary(b)
	var ready time.Duration
	var memory int64
	for b.Loop() {
		s, _ := tickercast(b)
		ready += s.Started
		memory += usage(b, s).Memory
		s.Stop()
	}
	b.ReportMetric(ready.Seconds()*1e3/float64(b.N), "ready-ms")
	b.ReportMetric(float64(memory)/1e6/float64(b.N), "server-MB")
}

// BenchmarkIdleConnections is the memory that the server holds for a connection which has had an
// answer and waits.
func BenchmarkIdleConnections(b *testing.B) {
	const conns = 2000
	s, addr := tickercast(b)
	warm(b, addr)
	before := usage(b, s)
	next := Hit(addr)(0)
	for range conns {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { c.Close() })
		if _, err := c.Write(next()); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadAtLeast(c, make([]byte, 4096), AnswerBytes); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		usage(b, s)
	}
	b.ReportMetric(float64(usage(b, s).Memory-before.Memory)/1e3/conns, "server-kB/connection")
}
