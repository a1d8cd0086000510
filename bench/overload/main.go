//go:build linux

// Overload offers a server several times what it can do, and then what it can, and says whether it
// stood that:
//
//	go run ./bench/overload                        hits on both paths, misses and batches, seven minutes in all
//	go run ./bench/overload -only batches -storm 0
//
// The server is a process on CPU 1 alone, the load comes from CPU 0. For each kind of request the
// knee is looked for first, the highest rate of an open loop with a p99 below 5 ms and no failure,
// with 32 clients. A client has a connection and one request under way. Then k times the knee is
// offered by k times as many clients, which is what an overload is: more clients, each like those
// before. A client gives a request 100 ms and then closes the connection and opens another. A
// request that finds all clients busy for a millisecond is given up unsent: what waits in a
// generator's own queue would be late whatever the server did, and would say nothing of it. It
// counts as offered and as not answered.
//
// The first second of an overload is not measured: to tell it from a burst takes a tenth of a
// second, and what was taken on until then is late.
//
// Goodput is what came with a 2xx within 100 ms of when it was due. That the server is what is too
// slow, and not the generator, is in the table: the share of its CPU that it used.
//
// How much of its peak the goodput can be is a matter of arithmetic. If refusing takes a share r of
// the CPU time of serving, a server that is offered k times what it can serve is left with
// (1-kr)/(1-r). At k = 10 that is 85 % for r = 1/60. So what takes less than that much longer than
// its refusal is better served than refused: a hit, and a single forecast that is not in the cache,
// are never refused here, and how long they wait is a matter of how many connections there are. A
// batch of forecasts takes a hundred times its refusal, and most of those must be refused.
//
// It is no benchmark: knees depend on the machine and what else runs on it, and with anything else
// running on the two CPUs the figures mean nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"tickercast/bench/proc"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	fmt.Fprintln(os.Stderr, "overload:", err)
	os.Exit(1)
}

// options of a run.
type options struct {
	only    *regexp.Regexp
	binary  string
	clients int           // at the knee
	knee    float64       // 0: to be found
	limit   time.Duration // of a request, from when it is due
	step    time.Duration // of the search for the knee
	settle  time.Duration // of each overload before it is measured
	load    time.Duration // measured
	storm   time.Duration
	after   int           // slices of time after an overload
	slice   time.Duration // each
	rates   []float64
	pin     bool
	log     io.Writer
}

// memory is what the server is told to stay within, as in a container.
const memory = 400 << 20

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("overload", flag.ContinueOnError)
	fs.SetOutput(stderr)
	o := options{clients: 32, after: 6, slice: time.Second, settle: time.Second,
		rates: []float64{2, 5, 10}, pin: true, log: stderr}
	fs.StringVar(&o.binary, "binary", "",
		"measure this tickercast instead of building one from the tree")
	fs.DurationVar(&o.limit, "limit", 100*time.Millisecond, "what a client gives a request")
	fs.DurationVar(&o.step, "step", time.Second,
		"how long each rate is tried in the search for the knee")
	fs.DurationVar(&o.load, "load", 5*time.Second, "how long each overload lasts")
	fs.DurationVar(&o.storm, "storm", 30*time.Second,
		"how long clients retry at once, three times, at five times the knee; 0 for not at all")
	fs.Float64Var(&o.knee, "knee", 0,
		"requests a second to take for the knee, instead of looking for it")
	only := fs.String("only", "",
		"kinds of requests whose name matches this `regexp`: hits over net/http, hits, misses, "+
			"batches")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 || o.knee < 0 || o.limit <= 0 || o.step <= 0 || o.load <= 0 || o.storm < 0 {
		return errors.New("want times above zero, and no arguments")
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	var cleanup func()
	if o.binary, cleanup, err = proc.Alone(ctx, o.binary); err != nil {
		return err
	}
	defer cleanup()
	stood := true
	for _, k := range kinds() {
		if !o.only.MatchString(k.name) {
			continue
		}
		t, err := o.try(ctx, k)
		if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		stood = t.report(stdout) && stood
	}
	if !stood {
		return errors.New("not every target was met")
	}
	return nil
}
