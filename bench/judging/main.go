//go:build linux

// Judging measures what a server pays for judging itself after a load, as its clients see it:
//
//	go run ./bench/judging
//	go run ./bench/judging -tickers 2000 -days 1000 -rounds 10
//
// It starts two servers with the same prices, with -calibration-days 0 and with 120, and offers
// the same rate of forecasts to each in turn, for a fifth of a second at a time, until the second
// has judged itself; while one is measured the other is stopped. So whatever else slows the
// machine down slows both. It compares the slowest 1 % of their answers, their memory, and their
// CPU time. The prices end in March, so that the sessions that are judged need two steps of
// calibration.
//
// The servers run on CPU 1 with one thread of Go, which is the worst case: with two, one of them is
// always free for answers. The load comes from CPU 0; nothing else should run on either.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"tickercast/bench"
	"tickercast/bench/command"
	"tickercast/bench/load"
	"tickercast/bench/proc"
)

func main() { command.Main("judging", run) }

// options of a run.
type options struct {
	binary        string
	tickers, days int
	rounds        int
	rate          float64
	slice         time.Duration // of load, between two looks at the server
}

// What must hold.
const (
	mostSlower = 2.0 // p99 while it judges, over p99 without
	mostMemory = 1.2 // likewise
	mostCPU    = 2.0 // seconds for 500 tickers
)

// A side is what the servers with or without judging measured.
type side struct {
	latency *load.Histogram
	failed  int64
	memory  int64 // at the most
	cpu     time.Duration
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("judging", flag.ContinueOnError)
	o := options{slice: 200 * time.Millisecond}
	fs.StringVar(&o.binary, "binary", "", "tickercast to measure (default: built from this tree)")
	fs.IntVar(&o.tickers, "tickers", 500, "tickers")
	fs.IntVar(&o.days, "days", 2500, "prices of each")
	fs.IntVar(&o.rounds, "rounds", 5, "servers of each kind")
	fs.Float64Var(&o.rate, "rate", 2000, "forecasts a second")
	if err := command.Parse(fs, args, stderr); err != nil {
		return err
	}
	if o.tickers < 40 || o.days < 400 || o.rounds < 1 || o.rate <= 0 {
		return fmt.Errorf("%w: want 40 tickers, 400 days, a round and a rate at least",
			command.ErrUsage)
	}
	binary, cleanup, err := proc.Prepare(ctx, o.binary)
	if err != nil {
		return err
	}
	defer cleanup()
	o.binary = binary
	dir, err := os.MkdirTemp("", "judging")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	prices := filepath.Join(dir, "prices.csv")
	if err := writePrices(prices, o.tickers, o.days); err != nil {
		return err
	}
	without, with := &side{latency: new(load.Histogram)}, &side{latency: new(load.Histogram)}
	var judging time.Duration
	for range o.rounds {
		took, err := o.round(ctx, prices, without, with)
		if err != nil {
			return err
		}
		judging += took
	}
	return report(stdout, &o, without, with, judging)
}

// round measures a server of each kind. It returns for how long the second has judged itself.
func (o *options) round(ctx context.Context, prices string, without, with *side) (time.Duration,
	error) {
	idle, err := o.start(ctx, prices, "0")
	if err != nil {
		return 0, err
	}
	defer idle.Stop()
	if err := idle.Signal(syscall.SIGSTOP); err != nil {
		return 0, err
	}
	judge, err := o.start(ctx, prices, "120")
	if err != nil {
		return 0, err
	}
	defer judge.Stop()
	var took time.Duration
	for running := true; running; {
		began := time.Now()
		if err := o.measure(ctx, judge, with); err != nil {
			return 0, err
		}
		if running, err = stillRunning(ctx, judge.Addr); err != nil {
			return 0, err
		}
		took += time.Since(began)
		if err := judge.Signal(syscall.SIGSTOP); err != nil {
			return 0, err
		}
		if err := idle.Signal(syscall.SIGCONT); err != nil {
			return 0, err
		}
		if err := o.measure(ctx, idle, without); err != nil {
			return 0, err
		}
		if err := idle.Signal(syscall.SIGSTOP); err != nil {
			return 0, err
		}
		if err := judge.Signal(syscall.SIGCONT); err != nil {
			return 0, err
		}
	}
	return took, nil
}

func (o *options) start(ctx context.Context, prices, sessions string) (*proc.Server, error) {
	cfg := proc.Tickercast(o.binary, "-prices", prices, "-calibration-days", sessions)
	cfg.Env, cfg.Pin, cfg.CPU = []string{"GOMAXPROCS=1"}, true, 1
	cfg.Wait = 2 * time.Minute
	return proc.Start(ctx, cfg)
}

// measure offers load to a server for one slice, and adds what it measures to a side.
func (o *options) measure(ctx context.Context, server *proc.Server, to *side) error {
	before, err := server.Usage()
	if err != nil {
		return err
	}
	r, err := load.Run(ctx, load.Config{Addr: server.Addr, Requests: bench.Mixed(server.Addr),
		Conns: 16, Rate: o.rate, Warmup: o.slice / 4, Duration: o.slice})
	if err != nil {
		return err
	}
	after, err := server.Usage()
	if err != nil {
		return err
	}
	to.latency.Add(r.Latency)
	to.failed += r.Failed()
	to.cpu += after.CPU - before.CPU
	to.memory = max(to.memory, before.Memory, after.Memory)
	return nil
}

// stillRunning reports whether a server is judging itself.
func stillRunning(ctx context.Context, addr string) (bool, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+addr+"/model", nil)
	if err != nil {
		return false, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	var m struct{ Calibration struct{ Reason string } }
	err = json.NewDecoder(resp.Body).Decode(&m)
	return m.Calibration.Reason == "still running", err
}

func report(w io.Writer, o *options, without, with *side, judging time.Duration) error {
	if with.latency.Count() == 0 {
		return errors.New("judging was over before anything was measured: more tickers are needed")
	}
	rounds := time.Duration(o.rounds)
	cpu := (with.cpu - without.cpu).Seconds() / float64(o.rounds) * 500 / float64(o.tickers)
	slower := float64(with.latency.Quantile(0.99)) / float64(without.latency.Quantile(0.99))
	memory := float64(with.memory) / float64(without.memory)
	fmt.Fprintf(w, "%d tickers of %d days, %.0f forecasts a second, %d servers each; one judges "+
		"itself for %v\n", o.tickers, o.days, o.rate, o.rounds,
		(judging / rounds).Round(10*time.Millisecond))
	for _, s := range []struct {
		name string
		*side
	}{{"without", without}, {"judging", with}} {
		fmt.Fprintf(w, "%s: p50 %v, p99 %v, p99.9 %v, max %v of %d answers, %d failed; "+
			"%.1f MB at most\n", s.name, load.Round(s.latency.Quantile(0.5)),
			load.Round(s.latency.Quantile(0.99)), load.Round(s.latency.Quantile(0.999)),
			load.Round(s.latency.Max()), s.latency.Count(), s.failed, float64(s.memory)/1e6)
	}
	fmt.Fprintf(w, "p99 %.2f times (at most %g), memory %.3f times (at most %g), %.2f s of CPU for "+
		"500 tickers (at most %g)\n", slower, mostSlower, memory, mostMemory, cpu, mostCPU)
	if slower > mostSlower || memory > mostMemory || cpu > mostCPU || with.failed > 0 {
		return errors.New("not every target was met")
	}
	return nil
}
