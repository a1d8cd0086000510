// Tickerload sends forecast requests to a server on this machine and prints how long the answers
// took.
//
//	tickerload -rate 1000 -duration 10s            open loop: latency from when a request was due
//	tickerload -rate 0                             closed loop: as fast as 64 connections go
//	tickerload -knee -duration 2s                  the highest rate with p99 < 5 ms and no error
//	tickerload -body '{"ticker":"AAPL"}' -json     your own body; the result as JSON
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"tickercast/bench"
	"tickercast/bench/command"
	"tickercast/bench/load"
)

func main() { command.Main("tickerload", run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("tickerload", flag.ContinueOnError)
	var cfg load.Config
	fs.StringVar(&cfg.Addr, "addr", "127.0.0.1:8080", "`host:port` of the server; loopback only")
	fs.Float64Var(&cfg.Rate, "rate", 1000, "requests due a second; 0 is a closed loop")
	fs.BoolVar(&cfg.Poisson, "poisson", false,
		"draw the gaps between requests from an exponential distribution")
	fs.IntVar(&cfg.Conns, "conns", 64, "keep-alive connections, one request in flight on each")
	fs.DurationVar(&cfg.Duration, "duration", 10*time.Second,
		"how long to measure, for each rate with -knee")
	fs.DurationVar(&cfg.Warmup, "warmup", time.Second, "how long to run before that")
	fs.Int64Var(&cfg.Count, "count", 0, "stop after this many requests; 0 is no limit")
	fs.DurationVar(&cfg.Timeout, "timeout", 5*time.Second,
		"of one request, and how long to wait for the rest at the end")
	mixes := slices.Sorted(maps.Keys(bench.Workloads("")))
	mix := fs.String("mix", "mixed", "requests to send: "+strings.Join(mixes, ", "))
	path := fs.String("path", "/predict", "path of -body")
	body := fs.String("body", "", "send this JSON instead of a mix")
	knee := fs.Bool("knee", false,
		"look for the highest rate within -p99 and without errors, from -rate (or 1000) upwards")
	limit := fs.Duration("p99", 5*time.Millisecond, "p99 that -knee allows")
	asJSON := fs.Bool("json", false, "print the result as JSON")
	if err := command.Parse(fs, args, stderr); err != nil {
		return err
	}
	workloads := bench.Workloads(cfg.Addr)
	workload, ok := workloads[*mix]
	if !ok {
		return fmt.Errorf("%w: no mix %q, want one of %s", command.ErrUsage, *mix,
			strings.Join(mixes, ", "))
	}
	if cfg.Requests = workload; *body != "" {
		request := load.NewRequest("POST", *path, cfg.Addr, []byte(*body))
		cfg.Requests = func(int) func() []byte { return func() []byte { return request } }
	}

	var result fmt.Stringer
	var err error
	if *knee {
		result, err = load.FindKnee(ctx, cfg, *limit,
			func(s load.KneeStep) { fmt.Fprintln(stderr, s) })
	} else {
		result, err = load.Run(ctx, cfg)
	}
	if err != nil {
		return err
	}
	if *asJSON {
		enc := json.NewEncoder(stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(result)
	}
	_, err = fmt.Fprint(stdout, result)
	return err
}
