// Tickerload sends forecast requests to a server on this machine at a fixed rate and says how long
// the answers took.
//
//	tickerload -rate 1000 -duration 10s            an open loop: latency from the time each request was due
//	tickerload -rate 0                             a closed loop: as fast as 64 connections go
//	tickerload -knee -duration 2s                  the highest rate with p99 < 5 ms and no error
//	tickerload -body '{"ticker":"AAPL"}' -json     a body of your own, the whole result as JSON
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"tickercast/bench"
	"tickercast/bench/load"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr, isTerminal(os.Stderr))
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, "tickerload:", err)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "tickerload:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage")

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer, terminal bool) error {
	fs := flag.NewFlagSet("tickerload", flag.ContinueOnError)
	fs.SetOutput(stderr)
	var cfg load.Config
	fs.StringVar(&cfg.Addr, "addr", "127.0.0.1:8080", "`host:port` of the server; loopback only")
	fs.Float64Var(&cfg.Rate, "rate", 1000, "requests due a second; 0 is a closed loop")
	fs.BoolVar(&cfg.Poisson, "poisson", false,
		"draw the gaps between requests from an exponential distribution")
	fs.Uint64Var(&cfg.Seed, "seed", 1, "seed of -poisson")
	fs.IntVar(&cfg.Conns, "conns", 64, "keep-alive connections, one request in flight on each")
	fs.DurationVar(&cfg.Duration, "duration", 10*time.Second,
		"how long to measure, for each rate with -knee")
	fs.DurationVar(&cfg.Warmup, "warmup", time.Second, "how long to run before that")
	fs.Int64Var(&cfg.Count, "count", 0, "stop after this many requests; 0 is no limit")
	fs.DurationVar(&cfg.Timeout, "timeout", 5*time.Second,
		"of one request, and how long to wait for what is left at the end")
	mixName := fs.String("mix", "mixed", "requests to send: hit, miss, mixed, batch or batchmiss")
	path := fs.String("path", "/predict", "path of -body")
	body := fs.String("body", "", "send this JSON instead of a mix")
	knee := fs.Bool("knee", false,
		"look for the highest rate that the server stands, from -rate (or 1000) upwards")
	limit := fs.Duration("p99", 5*time.Millisecond, "p99 that -knee allows")
	asJSON := fs.Bool("json", false, "print the result as JSON, histograms included")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return fmt.Errorf("%w: %v", errUsage, err)
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("%w: unexpected argument %q", errUsage, fs.Arg(0))
	}
	mixes := bench.Mixes(cfg.Addr)
	mix, ok := mixes[*mixName]
	if !ok {
		return fmt.Errorf("%w: no mix %q, want one of %s", errUsage, *mixName,
			strings.Join(slices.Sorted(maps.Keys(mixes)), ", "))
	}
	if cfg.Requests = mix; *body != "" {
		request := load.NewRequest("POST", *path, cfg.Addr, []byte(*body))
		cfg.Requests = func(int) func() []byte { return func() []byte { return request } }
	}

	if *knee {
		return findKnee(ctx, cfg, *limit, stdout, stderr, *asJSON)
	}
	if terminal {
		cfg.Progress = func(p load.Progress) {
			fmt.Fprintf(stderr, "\r%4.0f s of %.0f: %d answers, %d errors, p99 %v   ",
				p.Elapsed.Seconds(), cfg.Duration.Seconds(), p.Requests, p.Errors, p.P99)
		}
	}
	result, err := load.Run(ctx, cfg)
	if err != nil {
		return err
	}
	if terminal {
		fmt.Fprint(stderr, "\r", strings.Repeat(" ", 78), "\r")
	}
	if *asJSON {
		return printJSON(stdout, result)
	}
	_, err = fmt.Fprint(stdout, result)
	return err
}

func findKnee(ctx context.Context, cfg load.Config, limit time.Duration, stdout, stderr io.Writer,
	asJSON bool) error {
	knee, err := load.FindKnee(ctx, cfg, load.KneeConfig{Start: cfg.Rate, P99: limit},
		func(s load.KneeStep) {
			verdict := "good"
			if !s.OK {
				verdict = "beyond the knee"
			}
			fmt.Fprintf(stderr, "%8.0f a second: p99 %v, %d failed, generator %.1f us: %s\n",
				s.Rate,
				s.P99, s.Failed, s.GeneratorCPU, verdict)
		})
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(stdout, knee)
	}
	_, err = fmt.Fprintf(stdout, "knee: %.0f requests a second\n", knee.Rate)
	return err
}

func printJSON(w io.Writer, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}
