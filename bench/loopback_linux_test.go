package bench

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"tickercast/bench/load"
	"tickercast/bench/proc"
)

// binary returns the path of the server to measure.
func binary(b *testing.B) string {
	b.Helper()
	if path := os.Getenv("TICKERCAST_BENCH_BINARY"); path != "" {
		return path
	}
	if _, err := exec.LookPath("go"); err != nil {
		b.Skip("no go command to build the server with")
	}
	built.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "tickercast-bench"); built.err == nil {
			built.path, built.err = proc.Build(b.Context(), built.dir)
		}
	})
	if built.err != nil {
		b.Fatal(built.err)
	}
	return built.path
}

// startServer runs a server on CPU 0, if the machine has one to spare.
func startServer(b *testing.B, cfg proc.Config) *proc.Server {
	b.Helper()
	cfg.Pin = proc.CanPin() == nil
	s, err := proc.Start(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Stop)
	return s
}

func startTickercast(b *testing.B, flags ...string) *proc.Server {
	b.Helper()
	return startServer(b, proc.Tickercast(binary(b), flags...))
}

// warm asks once for each key of Hit.
func warm(b *testing.B, addr string) {
	b.Helper()
	drive(b, load.Config{Addr: addr, Requests: Hit(addr), Conns: 1, Count: int64(len(HitBodies()))})
}

// drive runs a load in which no request may fail.
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

// cpuDuring is s.During for an f that cannot fail.
func cpuDuring(b *testing.B, s *proc.Server, f func()) time.Duration {
	b.Helper()
	cpu, err := s.During(func() error { f(); return nil })
	if err != nil {
		b.Fatal(err)
	}
	return cpu
}

func memoryOf(b *testing.B, s *proc.Server) int64 {
	b.Helper()
	u, err := s.Usage()
	if err != nil {
		b.Fatal(err)
	}
	return u.Memory
}

// closedLoop sends b.N requests over 64 connections as fast as they go, and reports what they cost
// the server.
func closedLoop(b *testing.B, s *proc.Server, workload Workload) {
	b.Helper()
	var r *load.Result
	cpu := cpuDuring(b, s, func() {
		b.ResetTimer()
		r = drive(b, load.Config{Addr: s.Addr, Requests: workload, Conns: 64, Count: int64(b.N),
			Duration: time.Hour})
		b.StopTimer()
	})
	b.ReportMetric(r.PerSecond, "req/s")
	b.ReportMetric(cpu.Seconds()*1e6/float64(r.Answers), "server-us/op")
	b.ReportMetric(r.GeneratorCPU, "client-us/op")
	b.ReportMetric(float64(memoryOf(b, s))/1e6, "server-MB")
}

// BenchmarkLoopbackReference is the closed loop against net/http with a canned reply: what the
// others are compared with.
func BenchmarkLoopbackReference(b *testing.B) {
	s := startServer(b, proc.Config{Args: []string{os.Args[0]}, Ready: "http://{addr}/",
		Env: []string{"TICKERCAST_BENCH_REFERENCE={addr}"}})
	closedLoop(b, s, Hit(s.Addr))
}

// BenchmarkLoopbackHit is the closed loop against the server as it is shipped, every answer in its
// cache.
func BenchmarkLoopbackHit(b *testing.B) {
	s := startTickercast(b)
	warm(b, s.Addr)
	closedLoop(b, s, Hit(s.Addr))
}

// BenchmarkLoopbackHitNetHTTP is the same without the fast lane.
func BenchmarkLoopbackHitNetHTTP(b *testing.B) {
	s := startTickercast(b, "-fastlane=false")
	warm(b, s.Addr)
	closedLoop(b, s, Hit(s.Addr))
}

// BenchmarkLoopbackMiss is the closed loop with no answer in the cache.
func BenchmarkLoopbackMiss(b *testing.B) {
	s := startTickercast(b)
	closedLoop(b, s, Miss(s.Addr))
}

// BenchmarkLoopbackBatch asks for a thousand cached forecasts in each call, over one connection.
// ns/op is for a call.
func BenchmarkLoopbackBatch(b *testing.B) {
	s := startTickercast(b)
	cfg := load.Config{Addr: s.Addr, Requests: Batch(s.Addr), Conns: 1, Count: int64(b.N),
		Duration: time.Hour}
	cfg.Check = func(_ int, answer []byte) error {
		if n := bytes.Count(answer, []byte(`"predictions":`)); n != BatchSize {
			return fmt.Errorf("%d forecasts in an answer, want %d", n, BatchSize)
		}
		return nil
	}
	var r *load.Result
	cpu := cpuDuring(b, s, func() {
		b.ResetTimer()
		r = drive(b, cfg)
		b.StopTimer()
	})
	n := float64(r.Answers * BatchSize)
	b.ReportMetric(n/r.Seconds, "predictions/s")
	b.ReportMetric(cpu.Seconds()*1e9/n, "server-ns/prediction")
}

// BenchmarkOpenLoop1000 sends Mixed at a thousand requests a second. With -benchtime 30s p99.9
// rests on thirty requests. ns/op is the time between two requests and means nothing.
func BenchmarkOpenLoop1000(b *testing.B) {
	addr := startTickercast(b).Addr
	b.ResetTimer()
	openLoop(b, load.Config{Addr: addr, Requests: Mixed(addr), Conns: 64, Rate: 1000,
		Count: int64(b.N), Duration: time.Hour})
}

// BenchmarkOpenLoop10000Connections sends ten thousand requests a second over as many connections,
// for two seconds each time.
func BenchmarkOpenLoop10000Connections(b *testing.B) {
	addr := startTickercast(b).Addr
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
		s := startTickercast(b)
		ready += s.Started
		memory += memoryOf(b, s)
		s.Stop()
	}
	b.ReportMetric(ready.Seconds()*1e3/float64(b.N), "ready-ms")
	b.ReportMetric(float64(memory)/1e6/float64(b.N), "server-MB")
}

// BenchmarkIdleConnections is the memory of the server for a connection that waits after an answer.
func BenchmarkIdleConnections(b *testing.B) {
	const conns = 2000
	s := startTickercast(b)
	warm(b, s.Addr)
	before := memoryOf(b, s)
	next := Hit(s.Addr)(0)
	for range conns {
		c, err := net.Dial("tcp", s.Addr)
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
		memoryOf(b, s)
	}
	b.ReportMetric(float64(memoryOf(b, s)-before)/1e3/conns, "server-kB/connection")
}
