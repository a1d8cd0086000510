//go:build linux

// Peers measures tickercast beside other ways to serve the same forecasts on this machine, in one
// run:
//
//	go -C bench/peers run .
//
// FastAPI, Flask and BentoML do the same work: they validate the request, look the answer up in a
// cache in their process, and send it; their answers are compared with tickercast's before anything
// is timed. net/http, fasthttp and nginx read the request and send a canned reply of the same size:
// what the network costs before any work is done.
//
// Every server runs on CPU 0 alone, with as many workers and threads as suit one core, and the load
// comes from CPU 1. Each is measured in turn, in several rounds, so that a change of the machine's
// mood touches all of them; the table holds the median round, and ratios are taken within a round.
// CPU time of the server is the steadiest figure. Latency is that of an open loop well below what
// the slowest server can do; that of a saturated closed loop would say how many connections there
// were.
//
// Python packages go to virtual environments in the user's cache directory. What cannot be
// installed is named and left out.
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
	if len(os.Args) == 5 && os.Args[1] == "canned" {
		fmt.Fprintln(os.Stderr, "peers:", serveCanned(os.Args[2], os.Args[3], os.Args[4]))
		os.Exit(1)
	}
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil &&
		!errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// options of a run.
type options struct {
	rounds  int
	seconds float64
	conns   int
	rate    float64
	only    *regexp.Regexp
	binary  string
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("peers", flag.ContinueOnError)
	fs.SetOutput(stderr)
	var o options
	fs.IntVar(&o.rounds, "rounds", 5, "how often to measure each server")
	fs.Float64Var(&o.seconds, "seconds", 2,
		"how long each measurement takes; there are two for each server and round")
	fs.IntVar(&o.conns, "conns", 64, "keep-alive connections")
	fs.Float64Var(&o.rate, "rate", 500, "requests a second of the open loop that times answers")
	fs.StringVar(&o.binary, "binary", "",
		"measure this tickercast instead of building one from the tree")
	only := fs.String("only", "",
		"measure the servers whose name matches this `regexp`, and tickercast")
	if err := fs.Parse(args); err != nil {
		return err
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	if fs.NArg() > 0 || o.rounds < 1 || o.rounds > 100 || !(o.seconds > 0 && o.seconds <= 60) {
		return errors.New("want 1 to 100 -rounds of at most 60 -seconds, and no arguments")
	}
	if err := proc.CanPin(); err != nil {
		return fmt.Errorf("a server and its load need a CPU each, and taskset(1) to get it: %w",
			err)
	}

	k, err := newKitchen(ctx, o, stderr)
	if err != nil {
		return err
	}
	defer k.close()
	started, missing := k.start(ctx)
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, m := range missing {
		fmt.Fprintln(stderr, "left out:", m)
	}
	if len(started) == 0 || started[0].name != subject {
		return errors.New("tickercast itself did not start")
	}
	if err := proc.PinSelf(1); err != nil {
		return err
	}
	began := time.Now()
	for round := range o.rounds {
		// Each round begins with another server, so that none always follows the same one.
		for i := range started {
			c := started[(i+round)%len(started)]
			s, err := c.measure(ctx, o)
			if err != nil {
				return fmt.Errorf("measuring %s: %w", c.name, err)
			}
			c.samples = append(c.samples, s)
			fmt.Fprintf(stderr, "%5.0f s, round %d of %d: %-40s %8.0f requests/s, %7.2f us\n",
				time.Since(began).Seconds(), round+1, o.rounds, c.name, s.perSecond, s.cpu)
		}
	}
	writeReport(stdout, started, missing, o)
	return nil
}
