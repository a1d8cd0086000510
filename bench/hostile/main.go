//go:build linux

// Hostile attacks a server that has little memory with connections that make it hold as much as
// they can, and reports whether it stays within its memory and whether another client notices:
//
//	go run ./bench/hostile -limit 128 -n 2000
//	go run ./bench/hostile -limit 512 -n 600 -kinds bodies
//
// The kinds of connections are listed in kinds.go. They come from several addresses of loopback,
// are opened again when the server ends them, and share the number of connections. A good client,
// in a process of its own, asks for cached forecasts before the attack and during it.
//
// The server gets nine tenths of the limit as GOMEMLIMIT, as it would take in a container. Where a
// control group can be made, the server also runs in one with that limit, so that the kernel ends
// it if it takes more.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"tickercast/bench/command"
	"tickercast/bench/load"
	"tickercast/bench/proc"
)

func main() { command.Main("hostile", run) }

// options of a run.
type options struct {
	binary string
	limit  int64 // MiB
	n      int   // connections
	kinds  []kind
	addrs  int // that they come from
	hold   time.Duration
	after  time.Duration // from the end of the attack to the last look at the memory
	flags  []string      // of the server
	group  bool
	log    io.Writer
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 3 && args[0] == goodClientCommand {
		return runGoodClient(ctx, args[1], args[2], stdout)
	}
	fs := flag.NewFlagSet("hostile", flag.ContinueOnError)
	o := options{log: stderr}
	var names, flags string
	fs.StringVar(&o.binary, "binary", "", "tickercast to attack (default: built from this tree)")
	fs.Int64Var(&o.limit, "limit", 512, "memory of the server, in `MiB`")
	fs.IntVar(&o.n, "n", 600, "hostile connections at once")
	fs.StringVar(&names, "kinds", strings.Join(kindNames(), ","), "kinds of them, in equal parts")
	fs.IntVar(&o.addrs, "addrs", 16, "`addresses` that they come from, 127.0.0.2 and so on")
	fs.DurationVar(&o.hold, "hold", 20*time.Second, "duration of the attack")
	fs.DurationVar(&o.after, "after", 10*time.Second,
		"`time` after the attack, at the end of which memory is looked at again")
	fs.StringVar(&flags, "flags", "", "more flags of the server, with blanks between")
	fs.BoolVar(&o.group, "group", true, "run the server in a control group if one can be made")
	if err := command.Parse(fs, args, stderr); err != nil {
		return err
	}
	var err error
	if o.kinds, err = kindsOf(names); err != nil {
		return fmt.Errorf("%w: %v", command.ErrUsage, err)
	}
	if o.n < len(o.kinds) || o.n > 15_000 || o.addrs < 1 || o.addrs > 200 || o.limit < 1 {
		return fmt.Errorf("%w: %d connections from %d addresses against %d MiB", command.ErrUsage,
			o.n, o.addrs, o.limit)
	}
	o.flags = append([]string{"-h2c"}, strings.Fields(flags)...)
	var cleanup func()
	if o.binary, cleanup, err = build(ctx, o.binary); err != nil {
		return err
	}
	defer cleanup()
	r, err := o.attack(ctx)
	if err != nil {
		return err
	}
	r.print(stdout)
	return r.missed()
}

// result is what a run measured. Memory is in bytes.
type result struct {
	*options
	grouped            bool
	before, peak, left int64
	calm, attacked     goodResult
	made               map[string]int64 // connections, by kind
	exited             bool
}

func (o *options) attack(ctx context.Context) (*result, error) {
	cfg := proc.Tickercast(o.binary, o.flags...)
	cfg.Env = []string{fmt.Sprintf("GOMEMLIMIT=%d", o.limit<<20/10*9)}
	r := &result{options: o, made: map[string]int64{}}
	if o.group {
		join, remove, err := makeGroup(o.limit << 20)
		if err != nil {
			fmt.Fprintf(o.log, "without a control group: %v\n", err)
		} else {
			defer remove()
			cfg.Args, r.grouped = append(join, cfg.Args...), true
		}
	}
	server, err := proc.Start(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	calm, err := o.startGoodClient(server.Addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	if r.calm, err = calm.result(); err != nil {
		return nil, err
	}
	r.before = resident(server.PID())
	client, err := o.startGoodClient(server.Addr, o.hold)
	if err != nil {
		return nil, err
	}
	stop := proc.Every(20*time.Millisecond, func() {
		r.peak = max(r.peak, resident(server.PID()))
	})
	a := newAttack(o, server.Addr)
	during, cancel := context.WithTimeout(ctx, o.hold)
	a.run(during)
	cancel()
	stop()
	r.attacked, err = client.result()
	for i, k := range o.kinds {
		r.made[k.name] = a.made[i].Load()
	}
	if r.exited = server.Exited(); r.exited {
		return r, nil
	}
	select {
	case <-ctx.Done():
	case <-time.After(o.after):
	}
	r.left = resident(server.PID())
	return r, err
}

func (r *result) print(w io.Writer) {
	const mb = 1 << 20
	fmt.Fprintf(w, "%d MiB, %d connections", r.limit, r.n)
	if r.grouped {
		fmt.Fprintf(w, ", in a control group")
	}
	fmt.Fprintf(w, "\nopened      %v\n", r.made)
	fmt.Fprintf(w, "resident    %d MiB before, %d at most, %d after %v\n", r.before/mb, r.peak/mb,
		r.left/mb, r.after)
	fmt.Fprintf(w, "good client %v\nattacked    %v\n", r.calm, r.attacked)
}

// What the good client must get.
const (
	leastShare = 0.95
	mostP99    = 250 * time.Millisecond
)

func (r *result) missed() (err error) {
	miss := func(missed bool, format string, args ...any) {
		if missed {
			err = errors.Join(err, fmt.Errorf(format, args...))
		}
	}
	miss(r.exited, "the server has exited")
	miss(r.peak > r.limit<<20, "%d MiB were resident", r.peak>>20)
	miss(r.attacked.Share < leastShare, "the good client got %.1f %% of its answers",
		100*r.attacked.Share)
	most := max(mostP99, 5*r.calm.P99)
	miss(r.attacked.P99 > most, "p99 of the good client is %v, want %v",
		load.Round(r.attacked.P99), load.Round(most))
	return err
}
