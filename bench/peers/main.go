//go:build linux

// Peers measures tickercast beside other ways to serve the same forecasts on this machine, on each
// road that its clients take:
//
//	go -C bench/peers run .                      all roads
//	go -C bench/peers run . -road 'get|health' -only nginx
//
// FastAPI, Flask and BentoML do the same work: they validate the request and answer from a cache in
// their process. Their answers are compared with tickercast's before anything is timed. A history
// FastAPI only validates, and answers as if there were none. net/http, fasthttp and nginx read the
// request and send a canned reply, of the same size but not longer than a forecast of five days:
// what the network costs before any work is done.
//
// Each server has CPU 0, with as many workers and threads as suit one core; the load comes from CPU
// 1. They are measured in turn, in several rounds, so that noise on the machine touches all. The
// tables have the median round, and ratios are taken within a round. CPU time is the steadiest
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
	"slices"
	"time"

	"tickercast/bench"
	"tickercast/bench/command"
	"tickercast/bench/proc"
)

func main() { command.Main("peers", run) }

// options of a run.
type options struct {
	rounds  int
	seconds float64
	rate    float64
	only    regexp.Regexp
	roads   regexp.Regexp
	binary  string
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 6 && args[0] == "canned" {
		return serveCanned(args[1], args[2], args[3], args[4], args[5])
	}
	fs := flag.NewFlagSet("peers", flag.ContinueOnError)
	var o options
	fs.IntVar(&o.rounds, "rounds", 5, "times to measure each server")
	fs.Float64Var(&o.seconds, "seconds", 1,
		"time for each measurement; the first road has two for each server and round")
	fs.Float64Var(&o.rate, "rate", 500, "requests a second of the open loop that times answers")
	fs.StringVar(&o.binary, "binary", "", "tickercast to measure (default: built from this tree)")
	fs.TextVar(&o.only, "only", regexp.MustCompile(""),
		"servers whose name matches this `regexp`, and tickercast")
	fs.TextVar(&o.roads, "road", regexp.MustCompile(""), "roads whose name matches this `regexp`: "+
		"post, month, get, health, tls, h2, batch, history, infer")
	if err := command.Parse(fs, args, stderr); err != nil {
		return err
	}
	if o.rounds < 1 || o.rounds > 100 || !(o.seconds > 0 && o.seconds <= 60) {
		return fmt.Errorf("%w: want 1 to 100 -rounds of at most 60 -seconds", command.ErrUsage)
	}
	roads := slices.DeleteFunc(bench.Roads(),
		func(r bench.Road) bool { return !o.roads.MatchString(r.Name) })
	if len(roads) == 0 {
		return fmt.Errorf("%w: no road matches -road", command.ErrUsage)
	}
	if err := proc.CanPin(); err != nil {
		return err
	}
	s, err := newSetup(ctx, o, stderr)
	if err != nil {
		return err
	}
	defer s.close()
	var all []travelled
	for _, road := range roads {
		t, err := s.travel(ctx, road)
		if err != nil {
			return fmt.Errorf("%s: %w", road.Name, err)
		}
		all = append(all, t)
	}
	writeReport(stdout, all, o)
	return nil
}

// travelled is what was measured of a road.
type travelled struct {
	road    bench.Road
	all     []*contender // tickercast first
	missing []string
}

// travel measures all servers of a road.
func (s *setup) travel(ctx context.Context, road bench.Road) (t travelled, err error) {
	// The servers inherit the CPUs of this process.
	if err := proc.PinTo("0,1"); err != nil {
		return t, err
	}
	started, missing := s.start(ctx, road)
	defer s.stop()
	if err := ctx.Err(); err != nil {
		return t, err
	}
	for _, m := range missing {
		fmt.Fprintf(s.log, "%s: left out: %s\n", road.Name, m)
	}
	if len(started) == 0 || started[0].name != subject {
		return t, errors.New("tickercast itself did not start")
	}
	if err := proc.PinToCPU(1); err != nil {
		return t, err
	}
	began := time.Now()
	for round := range s.opts.rounds {
		// Each round begins with another server, so that none always follows the same one.
		for i := range started {
			c := started[(i+round)%len(started)]
			if c.failed {
				continue
			}
			m, err := c.measure(ctx, s.opts)
			if err != nil && (c.name == subject || ctx.Err() != nil) {
				return t, fmt.Errorf("measuring %s: %w", c.name, err)
			}
			if err != nil { // most often it is too slow for a busy machine
				fmt.Fprintf(s.log, "%s: %s: %v\n", road.Name, c.name, err)
				c.failed, missing = true, append(missing, c.name+": fails under load")
				continue
			}
			c.samples = append(c.samples, m)
			fmt.Fprintf(s.log, "%5.0f s, %s, round %d of %d: %-40s %8.0f requests/s, %7.2f us\n",
				time.Since(began).Seconds(), road.Name, round+1, s.opts.rounds, c.name,
				m[perSecond], m[cpu])
		}
	}
	started = slices.DeleteFunc(started, func(c *contender) bool { return c.failed })
	return travelled{road, started, missing}, nil
}
