//go:build linux

// Overload offers a server several times what it can do, then what it can do, and reports whether
// it kept its targets:
//
//	go run ./bench/overload                         all scenarios, seven minutes
//	go run ./bench/overload -only batches -storm 0
//
// The server runs on CPU 1 and the load comes from CPU 0; nothing else may run on either. Each
// scenario begins with the search for the knee, the highest rate of an open loop with a p99 below 5
// ms and no failure, with 32 connections. Then k times as many connections offer k times the knee,
// each closed when an answer takes 100 ms. A request that finds none free for a millisecond is not
// sent and counts as not answered. Goodput is the answers with a 2xx within 100 ms of when the
// request was due, without the first second of an overload.
//
// If refusing a request takes a share r of the CPU time of serving it, a server that is offered k
// times what it can serve keeps (1-kr)/(1-r) of its goodput: 85 % at k = 10 for r = 1/60. Single
// forecasts are cheaper to serve than that, in the cache or not, and none may be refused. A batch
// of 500 misses takes a hundred times its refusal, and most of those must be refused.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"time"

	"tickercast/bench/command"
	"tickercast/bench/proc"
)

func main() { command.Main("overload", runScenarios) }

// options of a run.
type options struct {
	only    regexp.Regexp
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

const memoryLimit = 400 << 20 // of the server, as in a container

func runScenarios(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("overload", flag.ContinueOnError)
	o := options{clients: 32, limit: 100 * time.Millisecond, step: time.Second,
		settle: time.Second, after: 6, slice: time.Second, rates: []float64{2, 5, 10}, pin: true,
		log: stderr}
	fs.StringVar(&o.binary, "binary", "", "tickercast to measure (default: built from this tree)")
	fs.DurationVar(&o.load, "load", 5*time.Second, "time for each overload")
	fs.DurationVar(&o.storm, "storm", 30*time.Second,
		"time for a load of five times the knee in which clients retry three times; 0 skips it")
	fs.Float64Var(&o.knee, "knee", 0, "requests a second to take for the knee; 0 looks for it")
	fs.TextVar(&o.only, "only", regexp.MustCompile(""),
		"scenarios whose name matches this `regexp`: hits over net/http, hits, misses, batches")
	if err := command.Parse(fs, args, stderr); err != nil {
		return err
	}
	if o.knee < 0 || o.load <= 0 || o.storm < 0 {
		return fmt.Errorf("%w: want times above zero", command.ErrUsage)
	}
	binary, cleanup, err := proc.Prepare(ctx, o.binary)
	if err != nil {
		return err
	}
	defer cleanup()
	o.binary = binary
	allMet := true
	for _, s := range scenarios() {
		if !o.only.MatchString(s.name) {
			continue
		}
		r := &run{scenario: s, options: o}
		if err := r.measure(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		allMet = r.report(stdout) && allMet
	}
	if !allMet {
		return errors.New("not every target was met")
	}
	return nil
}
