//go:build linux

// Peers measures tickercast beside other ways to serve the same forecasts on this machine:
//
//	go -C bench/peers run .
//
// FastAPI, Flask and BentoML do the same work: they validate the request and answer from a cache in
// their process. Their answers are compared with tickercast's before anything is timed. net/http,
// fasthttp and nginx read the request and send a canned reply of the same size: what the network
// costs before any work is done.
//
// Each server has CPU 0, with as many workers and threads as suit one core; the load comes from CPU
// 1. They are measured in turn, in several rounds, so that noise on the machine touches all. The
// table has the median round, and ratios are taken within a round. CPU time is the steadiest
// figure. Latency is that of an open loop far below what the slowest server can do.
//
// Python packages go to virtual environments in the user's cache directory; nginx must be
// installed. What is missing is named and left out.
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

func main() { command.Main("peers", run) }

// options of a run.
type options struct {
	rounds  int
	seconds float64
	conns   int
	rate    float64
	only    regexp.Regexp
	binary  string
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 4 && args[0] == "canned" {
		return serveCanned(args[1], args[2], args[3])
	}
	fs := flag.NewFlagSet("peers", flag.ContinueOnError)
	var o options
	fs.IntVar(&o.rounds, "rounds", 5, "times to measure each server")
	fs.Float64Var(&o.seconds, "seconds", 2,
		"time for each measurement; there are two for each server and round")
	fs.IntVar(&o.conns, "conns", 64, "keep-alive connections")
	fs.Float64Var(&o.rate, "rate", 500, "requests a second of the open loop that times answers")
	fs.StringVar(&o.binary, "binary", "", "tickercast to measure (default: built from this tree)")
	fs.TextVar(&o.only, "only", regexp.MustCompile(""),
		"servers whose name matches this `regexp`, and tickercast")
	if err := command.Parse(fs, args, stderr); err != nil {
		return err
	}
	if o.rounds < 1 || o.rounds > 100 || !(o.seconds > 0 && o.seconds <= 60) {
		return fmt.Errorf("%w: want 1 to 100 -rounds of at most 60 -seconds", command.ErrUsage)
	}
	if err := proc.CanPin(); err != nil {
		return err
	}
	s, err := newSetup(ctx, o, stderr)
	if err != nil {
		return err
	}
	defer s.close()
	started, missing := s.start(ctx)
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, m := range missing {
		fmt.Fprintln(stderr, "left out:", m)
	}
	if len(started) == 0 || started[0].name != subject {
		return errors.New("tickercast itself did not start")
	}
	if err := proc.PinToCPU(1); err != nil {
		return err
	}
	began := time.Now()
	for round := range o.rounds {
		// Each round begins with another server, so that none always follows the same one.
		for i := range started {
			c := started[(i+round)%len(started)]
			m, err := c.measure(ctx, o)
			if err != nil {
				return fmt.Errorf("measuring %s: %w", c.name, err)
			}
			c.samples = append(c.samples, m)
			fmt.Fprintf(stderr, "%5.0f s, round %d of %d: %-40s %8.0f requests/s, %7.2f us\n",
				time.Since(began).Seconds(), round+1, o.rounds, c.name, m[perSecond], m[cpu])
		}
	}
	writeReport(stdout, started, missing, o)
	return nil
}
