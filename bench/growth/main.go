//go:build linux

// Growth measures how the cost of an answer grows with the number of tickers and of connections:
//
//	go run ./bench/growth
//
// A server for each number of tickers, with as many prices made up, answers forecasts of five days
// from its cache over 64 connections; then one of them answers over more and more connections, and
// so does net/http with a canned reply: the kernel and the runtime cost both of them more then. The
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
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tickercast/bench"
	"tickercast/bench/command"
	"tickercast/bench/load"
	"tickercast/bench/proc"
)

func main() {
	if addr := os.Getenv(referenceAddr); addr != "" {
		fmt.Fprintln(os.Stderr, http.ListenAndServe(addr, bench.Reference(bench.AnswerBytes)))
		os.Exit(1)
	}
	command.Main("growth", run)
}

// referenceAddr is the variable that makes this program the net/http that it measures.
const referenceAddr = "TICKERCAST_GROWTH_REFERENCE"

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
	cost     []cost // by round
}

// A cost is CPU time for an answer, in microseconds, and what of it the kernel takes.
type cost struct{ cpu, kernel float64 }

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
	tables := [][]*point{points}
	reference, err := startReference(ctx)
	if err != nil {
		return err
	}
	defer reference.Stop()
	for _, s := range []*proc.Server{points[0].server, reference} {
		var table []*point
		for _, n := range o.conns {
			p := &point{name: fmt.Sprintf("%d connections", n), server: s,
				workload: hits(s.Addr, o.tickers[0]), conns: n}
			if s == reference {
				p.name = "net/http, " + p.name
			}
			table = append(table, p)
		}
		tables = append(tables, table)
	}
	for _, p := range points { // all answers into the cache
		if _, err := p.drive(ctx, int64(2*o.tickers[len(o.tickers)-1])); err != nil {
			return err
		}
	}
	points = slices.Concat(tables...)
	for round := range o.rounds {
		for i := range points {
			p := points[(i+round)%len(points)]
			c, err := p.drive(ctx, o.count)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			p.cost = append(p.cost, c)
			fmt.Fprintf(stderr, "round %d of %d: %-28s %6.2f us\n", round+1, o.rounds, p.name,
				c.cpu)
		}
	}
	worst := max(report(stdout, tables[0]), report(stdout, tables[1]))
	report(stdout, tables[2])
	if worst > o.most {
		return fmt.Errorf("an answer costs %.2f times the smallest, want %.2f at most", worst,
			o.most)
	}
	return nil
}

// report prints the points of a table and returns the largest ratio to the first.
func report(w io.Writer, points []*point) (worst float64) {
	fmt.Fprintln(w, "| | CPU, us an answer | of it the kernel | of the first |\n"+
		"| --- | ---: | ---: | ---: |")
	for _, p := range points {
		r := p.median(func(round int) float64 {
			return p.cost[round].cpu / points[0].cost[round].cpu
		})
		worst = max(worst, r)
		fmt.Fprintf(w, "| %s | %.2f | %.2f | %.2f |\n", p.name,
			p.median(func(round int) float64 { return p.cost[round].cpu }),
			p.median(func(round int) float64 { return p.cost[round].kernel }), r)
	}
	fmt.Fprintln(w)
	return worst
}

// median returns that of a figure of each round.
func (p *point) median(of func(round int) float64) float64 {
	var v []float64
	for round := range p.cost {
		v = append(v, of(round))
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// drive sends requests and returns what an answer costs the server, without opening connections and
// the first request on each.
func (p *point) drive(ctx context.Context, count int64) (c cost, err error) {
	var before, after proc.Usage
	var faults [2]error
	r, err := load.Run(ctx, load.Config{Addr: p.server.Addr, Requests: p.workload,
		Conns: p.conns, Warmup: warmup, Count: count, Duration: 10 * time.Minute,
		Timeout: time.Minute, Around: func(part func()) {
			before, faults[0] = p.server.Usage()
			part()
			after, faults[1] = p.server.Usage()
		}})
	err = cmp.Or(err, faults[0], faults[1], ctx.Err())
	if err == nil && (r.Failed() > 0 || r.Answers == 0) {
		err = errors.New(r.String())
	}
	if err != nil {
		return c, err
	}
	each := func(t time.Duration) float64 { return t.Seconds() * 1e6 / float64(r.Answers) }
	return cost{each(after.CPU - before.CPU), each(after.Kernel - before.Kernel)}, nil
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

// startReference starts this program as net/http with a canned reply.
func startReference(ctx context.Context) (*proc.Server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return proc.Start(ctx, proc.Config{Args: []string{self}, Ready: "http://{addr}/",
		Env: []string{referenceAddr + "={addr}"}, Pin: true, CPU: 1})
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
