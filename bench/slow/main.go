//go:build linux

// Slow opens thousands of connections that send or read as slowly as they can, and reports whether
// the server ends each in time, what each costs, and whether other clients notice:
//
//	go run ./bench/slow                         10,000 connections in each scenario, three minutes
//	go run ./bench/slow -only 'header' -n 1000
//
// There are three scenarios, each with and without the fast lane: headers that come byte by byte, a
// body that does, and a reader that pipelines requests and never reads. The server has CPU 1; the
// attack and a probe client, an ordinary client in a process of its own, share CPU 0. A connection
// has ended when the kernel says so, which is asked several times a second and without reading. The
// time of a slow header or body counts from the opening of the connection, that of an unread answer
// from the last byte that found room.
//
// Memory is the growth of the process's resident bytes while all connections are open, for each.
// The server gets the memory limit that docs/capacity.md plans for so many connections and a small
// cache; without one it would let garbage grow. The table also has the most that the process ever
// grew by.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"syscall"

	"tickercast/bench/command"
	"tickercast/bench/proc"
)

func main() { command.Main("slow", runScenarios) }

// options of a run.
type options struct {
	only   regexp.Regexp
	binary string
	n      int // slow connections
	log    io.Writer
}

func runScenarios(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 3 && args[0] == probeClientCommand {
		return runProbeClient(ctx, args[1], args[2], stdout)
	}
	fs := flag.NewFlagSet("slow", flag.ContinueOnError)
	o := options{log: stderr}
	fs.StringVar(&o.binary, "binary", "", "tickercast to attack (default: built from this tree)")
	fs.IntVar(&o.n, "n", 10_000, "slow connections at once")
	fs.TextVar(&o.only, "only", regexp.MustCompile(""),
		"scenarios whose name matches this `regexp`: fast lane or net/http, header, body or reader")
	if err := command.Parse(fs, args, stderr); err != nil {
		return err
	}
	if o.n < 1 || o.n > 25_000 {
		return fmt.Errorf("%w: %d connections, want 1 to 25000", command.ErrUsage, o.n)
	}
	var files syscall.Rlimit // Go has raised the soft limit to the hard one
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil ||
		files.Cur < uint64(o.n)+200 {
		return fmt.Errorf("ulimit -n is %d, too few descriptors for %d connections", files.Cur, o.n)
	}
	binary, cleanup, err := proc.Prepare(ctx, o.binary)
	if err != nil {
		return err
	}
	defer cleanup()
	o.binary = binary
	var runs []*run
	for _, p := range paths() {
		for _, s := range scenarios() {
			r := &run{options: o, path: p, scenario: s}
			if !o.only.MatchString(r.name()) {
				continue
			}
			if err := r.measure(ctx); err != nil {
				return fmt.Errorf("%s: %w", r.name(), err)
			}
			runs = append(runs, r)
		}
	}
	if !report(stdout, runs) {
		return errors.New("not every target was met")
	}
	return nil
}
