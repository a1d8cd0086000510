//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"tickercast/bench"
	"tickercast/bench/load"
	"tickercast/bench/proc"
)

// A kind of request.
type kind struct {
	name  string
	flags []string // of the server
	mix   func(host string) bench.Mix
	first float64 // rate to begin the search for the knee with
	keeps float64 // share of its peak that the goodput must keep
	sheds bool    // under overload some are refused
}

func kinds() []kind {
	return []kind{
		{name: "hits over net/http", mix: bench.Hit, flags: []string{"-fastlane=false"},
			first: 5_000, keeps: 0.9},
		{name: "hits", mix: bench.Hit, first: 10_000, keeps: 0.9},
		{name: "misses", mix: bench.Miss, first: 10_000, keeps: 0.85},
		{name: "batches", mix: bench.BatchMiss, first: 50, keeps: 0.85, sheds: true},
	}
}

// A trial is what one server went through, and how it did.
type trial struct {
	kind
	options
	server *proc.Server
	addr   string

	knee   float64 // requests a second
	phases []phase
	peak   int64 // bytes resident
	exited bool
}

// A phase is one rate that was offered.
type phase struct {
	name    string
	rate    float64
	seconds float64
	result  *load.Result
	cpu     float64 // share of its core that the server used
	slices  []slice // what came after it
}

// goodput is what came as it should, a second.
func (p phase) goodput() float64 { return float64(p.result.Good) / p.seconds }

// A slice is some time, a second, of 80 % of the knee.
type slice struct{ due, good int64 }

// full reports whether nothing that counts was missing. One in a hundred may be: the machine is
// never quite quiet.
func (s slice) full() bool { return s.good*100 >= s.due*99 }

// recovery is after how many seconds the goodput was full and stayed so; -1 for never.
func (p phase) recovery() int {
	n := len(p.slices)
	for n > 0 && p.slices[n-1].full() {
		n--
	}
	if n == len(p.slices) {
		return -1
	}
	return n
}

// try starts a server and puts it through everything.
func (o options) try(ctx context.Context, k kind) (*trial, error) {
	t := &trial{kind: k, options: o}
	if err := t.start(ctx); err != nil {
		return nil, err
	}
	defer t.server.Stop()
	stop := t.watchMemory()
	err := t.find(ctx)
	if err == nil {
		err = t.overload(ctx)
	}
	stop()
	t.exited = t.server.Exited()
	return t, err
}

func (t *trial) start(ctx context.Context) (err error) {
	if t.addr, err = proc.FreeAddr(); err != nil {
		return err
	}
	t.server, err = proc.Start(ctx, proc.Config{
		Args: append([]string{t.binary, "serve", "-addr", t.addr, "-admin-addr", "", "-drain-delay",
			"0s"}, t.flags...),
		Env: []string{fmt.Sprintf("GOMEMLIMIT=%d", memory)}, Pin: t.pin, CPU: 1,
		Ready: "http://" + t.addr + "/health",
	})
	return err
}

// config is that of so many clients.
func (t *trial) config(clients int) load.Config {
	return load.Config{Addr: t.addr, Requests: t.mix(t.addr), Conns: clients, Timeout: t.limit,
		Patience: time.Millisecond}
}

// find looks for the knee.
func (t *trial) find(ctx context.Context) (err error) {
	if t.knee = t.options.knee; t.knee > 0 {
		return nil
	}
	cfg := t.config(t.clients)
	cfg.Patience = 0 // below the knee nothing is given up
	cfg.Warmup, cfg.Duration = t.step/4, t.step
	found, err := load.FindKnee(ctx, cfg, load.KneeConfig{Start: t.first}, func(s load.KneeStep) {
		fmt.Fprintf(t.log, "%s: %.0f a second: p99 %v, %d failed\n", t.name, s.Rate, s.P99,
			s.Failed)
	})
	if err != nil {
		return err
	}
	if t.knee = found.Rate; t.knee == 0 {
		return fmt.Errorf("no knee: not even %.0f requests a second were answered in time; is "+
			"the machine busy?", t.first)
	}
	return nil
}

// overload offers more and more.
func (t *trial) overload(ctx context.Context) error {
	if err := t.offer(ctx, "the knee", 1, t.load, 0); err != nil {
		return err
	}
	for _, k := range t.rates {
		if err := t.offer(ctx, fmt.Sprintf("%g times", k), k, t.load, 0); err != nil {
			return err
		}
	}
	if t.storm > 0 {
		return t.offer(ctx, "5 times, each retried 3 times", 5, t.storm, 3)
	}
	return nil
}

// offer offers k times the knee, and what follows.
func (t *trial) offer(ctx context.Context, name string, k float64, d time.Duration,
	retries int) error {
	cfg := t.config(int(float64(t.clients) * k))
	cfg.Rate, cfg.Warmup, cfg.Duration, cfg.Retries = k*t.knee, t.settle, d, retries
	fmt.Fprintf(t.log, "%s: %s, %.0f a second\n", t.name, name, cfg.Rate)
	before, err := t.server.Usage()
	if err != nil {
		return err
	}
	began := time.Now()
	p := phase{name: name, rate: cfg.Rate, seconds: d.Seconds()}
	if p.result, err = load.Run(ctx, cfg); err != nil {
		return err
	}
	elapsed := time.Since(began)
	after, err := t.server.Usage()
	if err != nil {
		return err
	}
	p.cpu = (after.CPU - before.CPU).Seconds() / elapsed.Seconds()
	if k > 1 {
		p.slices, err = t.recover(ctx)
	}
	t.phases = append(t.phases, p)
	return err
}

// recover offers 80 % of the knee, a second at a time.
func (t *trial) recover(ctx context.Context) (slices []slice, err error) {
	cfg := t.config(t.clients)
	cfg.Rate, cfg.Duration, cfg.Patience = 0.8*t.knee, t.slice, 0
	for range t.after {
		r, err := load.Run(ctx, cfg)
		if err != nil {
			return slices, err
		}
		slices = append(slices, slice{due: int64(cfg.Rate * t.slice.Seconds()), good: r.Good})
	}
	return slices, nil
}

// watchMemory keeps the most that the server holds, until the function it returns is called.
func (t *trial) watchMemory() (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		for {
			if u, err := t.server.Usage(); err == nil {
				t.peak = max(t.peak, u.Memory)
			}
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	return func() { close(done); <-ended }
}
