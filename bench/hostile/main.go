//go:build linux

// Hostile attacks a server that has little memory with connections that make it hold as much as
// they can, and reports whether it stays within its memory and whether another client notices:
//
//	go run ./bench/hostile -limit 128 -n 2000
//	go run ./bench/hostile -limit 512 -n 600 -kinds bodies
//
// The kinds of connections are listed in kinds.go. They come from several addresses of loopback,
// are opened again when the server ends them, and share the number of connections. A good client,
// in a process of its own, asks for cached forecasts before the attack and during it. So does
// another one of a second server, which is not attacked: it shows how much the attack and all else
// on the machine delay a server that has nothing to do with it.
//
// The server gets nine tenths of the limit as GOMEMLIMIT, as it would take in a container. Where a
// control group can be made, the server also runs in one with that limit, so that the kernel ends
// it if it takes more.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"tickercast/bench/command"
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
	wait   time.Duration // that memory may take to be as before
	flags  []string      // of the server
	group  bool
	tls    bool
	timed  bool
	log    io.Writer
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 4 && args[0] == goodClientCommand {
		return runGoodClient(ctx, args[1], args[2], args[3], stdout)
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
	fs.DurationVar(&o.wait, "after", time.Minute,
		"`time` after the attack, at the end of which memory must be as before")
	fs.StringVar(&flags, "flags", "", "more flags of the server, with blanks between")
	fs.BoolVar(&o.group, "group", true, "run the server in a control group if one can be made")
	fs.BoolVar(&o.timed, "timed", true, "judge how late the answers to the good client are")
	fs.BoolVar(&o.tls, "tls", false, "all clients speak TLS")
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
	o.flags = strings.Fields(flags)
	dir, err := os.MkdirTemp("", "tickercast-hostile")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.binary == "" {
		if o.binary, err = proc.Build(ctx, dir); err != nil {
			return err
		}
	}
	r, err := o.measure(ctx, dir)
	if err != nil {
		return err
	}
	r.print(stdout)
	return r.missed()
}
