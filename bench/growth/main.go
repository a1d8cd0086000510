//go:build linux

// Growth measures how the cost of an answer grows with the number of tickers and of connections:
//
//	go run ./bench/growth
//
// A server for each number of tickers, with as many prices made up, answers forecasts of five days
// from its cache over 64 connections; then one of them answers over more and more connections. The
// servers run on CPU 1 and the load comes from CPU 0. They are measured in turn, in several rounds,
// so that noise on the machine touches all, and compared within a round.
package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tickercast/bench"
	"tickercast/bench/command"
	"tickercast/bench/load"
	"tickercast/bench/proc"
)

func main() { command.Main("growth", run) }

// options of a run.
type options struct {
	binary  string
	rounds  int
	count   int64 // answers in each measurement
	most    float64
	tickers []int
	conns   []int
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("growth", flag.ContinueOnError)
	o := options{tickers: []int{500, 5_000, 20_000}, conns: []int{100, 1_000, 10_000}}
	fs.StringVar(&o.binary, "binary", "", "tickercast to measure (default: built from this tree)")
	fs.IntVar(&o.rounds, "rounds", 5, "times to measure each")
	fs.Int64Var(&o.count, "count", 100_000, "answers in each measurement")
	fs.Float64Var(&o.most, "most", 1.25, "the largest ratio to the smallest that is good enough")
	if err := command.Parse(fs, args, stderr); err != nil {
		return err
	}
	if o.rounds < 1 || o.count < 1 {
		return fmt.Errorf("%w: want -rounds and -count above zero", command.ErrUsage)
	}
	binary, cleanup, err := proc.Prepare(ctx, o.binary)
	if err != nil {
		return err
	}
	defer cleanup()
	o.binary = binary
	return measure(ctx, o, stdout, stderr)
}

// A point is one number of tickers and of connections.
type point struct {
	name     string
	server   *proc.Server
	workload bench.Workload
	conns    int
	cpu      []float64 // microseconds for an answer, by round
}

func measure(ctx context.Context, o options, stdout, stderr io.Writer) error {
	dir, err := os.MkdirTemp("", "tickercast-growth")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var points []*point
	for _, n := range o.tickers {
		fmt.Fprintf(stderr, "starting a server of %d tickers\n", n)
		s, err := start(ctx, o.binary, dir, n)
		if err != nil {
			return err
		}
		defer s.Stop()
		points = append(points, &point{name: fmt.Sprintf("%d tickers", n), server: s,
			workload: hits(s.Addr, n), conns: 64})
	}
	byTickers := points
	for _, n := range o.conns {
		points = append(points, &point{name: fmt.Sprintf("%d connections", n),
			server: points[0].server, workload: points[0].workload, conns: n})
	}
	for _, p := range byTickers { // all answers into the cache
		if _, err := p.drive(ctx, int64(2*o.tickers[len(o.tickers)-1])); err != nil {
			return err
		}
	}
	for round := range o.rounds {
		for i := range points {
			p := points[(i+round)%len(points)]
			cpu, err := p.drive(ctx, o.count)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			p.cpu = append(p.cpu, cpu)
			fmt.Fprintf(stderr, "round %d of %d: %-20s %6.2f us\n", round+1, o.rounds, p.name, cpu)
		}
	}
	worst := max(report(stdout, points[:len(byTickers)]), report(stdout, points[len(byTickers):]))
	if worst > o.most {
		return fmt.Errorf("an answer costs %.2f times the smallest, want %.2f at most", worst,
			o.most)
	}
	return nil
}

// report prints the points of a table and returns the largest ratio to the first.
func report(w io.Writer, points []*point) (worst float64) {
	fmt.Fprintln(w, "| | CPU, us an answer | of the first |\n| --- | ---: | ---: |")
	for _, p := range points {
		ratios := make([]float64, len(p.cpu))
		for i := range ratios {
			ratios[i] = p.cpu[i] / points[0].cpu[i]
		}
		r := median(ratios)
		worst = max(worst, r)
		fmt.Fprintf(w, "| %s | %.2f | %.2f |\n", p.name, median(p.cpu), r)
	}
	fmt.Fprintln(w)
	return worst
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// drive sends requests and returns the CPU time of the server for an answer, in microseconds,
// without that of opening connections and of the first request on each.
func (p *point) drive(ctx context.Context, count int64) (float64, error) {
	var cpu time.Duration
	var fault error
	r, err := load.Run(ctx, load.Config{Addr: p.server.Addr, Requests: p.workload,
		Conns: p.conns, Warmup: warmup, Count: count, Duration: 10 * time.Minute,
		Timeout: time.Minute, Around: func(part func()) {
			cpu, fault = p.server.During(func() error { part(); return nil })
		}})
	if err = cmp.Or(err, fault, ctx.Err()); err == nil && (r.Failed() > 0 || r.Answers == 0) {
		err = errors.New(r.String())
	}
	if err != nil {
		return 0, err
	}
	return cpu.Seconds() * 1e6 / float64(r.Answers), nil
}

// warmup is the time in which each connection sends its first request, if the machine is not busy.
const warmup = 500 * time.Millisecond

// start writes prices of n tickers and starts a server that knows them.
func start(ctx context.Context, binary, dir string, n int) (*proc.Server, error) {
	path := filepath.Join(dir, fmt.Sprintf("prices-%d.csv", n))
	if err := writePrices(path, n); err != nil {
		return nil, err
	}
	// Thousands of connections may be opened for seconds before the first of them asks.
	cfg := proc.Tickercast(binary, "-prices", path, "-read-header-timeout", "1m")
	cfg.Pin, cfg.CPU, cfg.Wait = true, 1, 5*time.Minute
	return proc.Start(ctx, cfg)
}

func name(i int) string { return fmt.Sprintf("T%05d", i) }

// writePrices writes walks of sixty closes.
func writePrices(path string, n int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "date,ticker,close")
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range n {
		price := 10 * math.Exp(3*rng.Float64())
		day := time.Date(2025, 9, 2, 0, 0, 0, 0, time.UTC)
		for range 60 {
			for day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
				day = day.AddDate(0, 0, 1)
			}
			price *= math.Exp(0.015 * rng.NormFloat64())
			fmt.Fprintf(w, "%s,%s,%.4f\n", day.Format(time.DateOnly), name(i), price)
			day = day.AddDate(0, 0, 1)
		}
	}
	return errors.Join(w.Flush(), f.Close())
}

// hits asks for each of n tickers in turn, each connection from another one on.
func hits(host string, n int) bench.Workload {
	requests := make([][]byte, n)
	for i := range requests {
		requests[i] = load.NewRequest("POST", "/predict", host,
			fmt.Appendf(nil, `{"ticker":"%s","days_ahead":5}`, name(i)))
	}
	return func(conn int) func() []byte {
		i := conn * 7919 % n
		return func() []byte {
			r := requests[i]
			i = (i + 1) % n
			return r
		}
	}
}
