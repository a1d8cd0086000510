//go:build linux

// Slow opens thousands of connections that send or read as slowly as they can, and says whether the
// server ends each in time, what each costs it, and whether other clients notice:
//
//	go run ./bench/slow                            10,000 connections of each kind, on both paths, in some three minutes
//	go run ./bench/slow -only 'header' -n 1000
//
// There are three kinds: headers that come byte by byte, a body that does, and a reader that asks
// for answers, one request behind the other, and never reads. Each attacks a server of its own, on
// CPU 1 alone; the attack and a healthy client, a process which goes on asking as it did before,
// share CPU 0. A connection has ended when its own end of it says so; it is looked at several times
// a second without reading from it, which a reader that never reads must not do. A slow header or
// body counts from when the connection was opened, an unread answer from when the last of it
// arrived that found room.
//
// Memory is what the process holds resident while all are open, at its most, beyond what it held
// before, for each connection. The server is told a memory limit, as in a container: what
// docs/capacity.md plans for so many connections and a small cache. Without one the collector lets
// garbage grow to the size of what is in use, and what a connection takes is up to its mood. Said
// beside it is what it held at the most ever, when thousands of timeouts have just been answered
// and nothing has been collected yet, and what the kernel of this machine holds in socket buffers,
// the other ends' included.
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
	err := error(nil)
	if len(os.Args) == 5 && os.Args[1] == "healthy" {
		err = beHealthy(ctx, os.Args[2], os.Args[3], os.Args[4])
	} else {
		err = run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	}
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	fmt.Fprintln(os.Stderr, "slow:", err)
	os.Exit(1)
}

// options of a run.
type options struct {
	binary string
	n      int           // slow connections
	calm   time.Duration // how long the healthy client is timed before
	drip   time.Duration // from byte to byte
	rate   float64       // of the healthy client
	log    io.Writer
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("slow", flag.ContinueOnError)
	fs.SetOutput(stderr)
	o := options{log: stderr}
	fs.StringVar(&o.binary, "binary", "",
		"attack this tickercast instead of building one from the tree")
	fs.IntVar(&o.n, "n", 10_000, "slow connections at once")
	fs.DurationVar(&o.calm, "calm", 5*time.Second,
		"how long the healthy client is timed before the attack")
	fs.DurationVar(&o.drip, "drip", 500*time.Millisecond, "time from byte to byte")
	fs.Float64Var(&o.rate, "rate", 500, "requests a second of the healthy client")
	only := fs.String("only", "",
		"attacks whose name matches this `regexp`: fast lane or net/http, header, body or reader")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 || o.n < 1 || o.n > 25_000 || o.calm <= 0 || o.drip <= 0 || o.rate <= 0 {
		return errors.New("want 1 to 25000 connections, times and a rate above zero, and no " +
			"arguments")
	}
	match, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	var files syscall.Rlimit // Go has raised the soft limit to the hard one, here and in the server
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil ||
		files.Cur < uint64(o.n)+200 {
		return fmt.Errorf("%d descriptors at most (ulimit -n), too few for %d connections",
			files.Cur, o.n)
	}
	var cleanup func()
	if o.binary, cleanup, err = proc.Alone(ctx, o.binary); err != nil {
		return err
	}
	defer cleanup()
	var trials []*trial
	for _, path := range paths() {
		for _, k := range kinds() {
			t := &trial{options: o, path: path, kind: k}
			if !match.MatchString(t.name()) {
				continue
			}
			if err := t.run(ctx); err != nil {
				return fmt.Errorf("%s: %w", t.name(), err)
			}
			trials = append(trials, t)
		}
	}
	if !report(stdout, trials) {
		return errors.New("not every target was met")
	}
	return nil
}
