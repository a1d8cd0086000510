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

// A scenario is what the clients of an overloaded server ask for.
type scenario struct {
	name      string
	flags     []string // of the server
	workload  func(host string) bench.Workload
	firstRate float64 // first rate in the search for the knee
	keeps     float64 // share of its peak that the goodput must keep
	sheds     bool    // the server may refuse some
}

func scenarios() []scenario {
	return []scenario{
		{name: "hits over net/http", workload: bench.Hit, flags: []string{"-fastlane=false"},
			firstRate: 5_000, keeps: 0.9},
		{name: "hits", workload: bench.Hit, firstRate: 10_000, keeps: 0.9},
		{name: "misses", workload: bench.Miss, firstRate: 10_000, keeps: 0.85},
		{name: "batches", workload: bench.BatchMiss, firstRate: 50, keeps: 0.85, sheds: true},
	}
}

// A run is one scenario and what it measured.
type run struct {
	scenario
	options
	server *proc.Server

	knee   float64 // requests a second
	phases []phase
	memory int64 // resident bytes at the most
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

// goodput is the number of good answers a second.
func (p phase) goodput() float64 { return float64(p.result.Good) / p.seconds }

// A slice is some time at 80 % of the knee.
type slice struct{ due, good int64 }

// full reports whether all was answered but one in a hundred, which noise on the machine can cost.
func (s slice) full() bool { return s.good*100 >= s.due*99 }

// recovery is the number of slices until the goodput was full and stayed so; -1 means never.
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

// measure starts a server, finds its knee and overloads it.
func (r *run) measure(ctx context.Context) error {
	if err := r.start(ctx); err != nil {
		return err
	}
	defer r.server.Stop()
	defer r.watchMemory()()
	err := r.findKnee(ctx)
	if err == nil {
		err = r.overload(ctx)
	}
	r.exited = r.server.Exited()
	return err
}

func (r *run) start(ctx context.Context) (err error) {
	cfg := proc.Tickercast(r.binary, r.flags...)
	cfg.Env = []string{fmt.Sprintf("GOMEMLIMIT=%d", memoryLimit)}
	cfg.Pin, cfg.CPU = r.pin, 1
	r.server, err = proc.Start(ctx, cfg)
	return err
}

// watchMemory samples the server's memory until the function it returns is called.
func (r *run) watchMemory() (stop func()) {
	return proc.Every(250*time.Millisecond, func() {
		if u, err := r.server.Usage(); err == nil {
			r.memory = max(r.memory, u.Memory)
		}
	})
}

func (r *run) config(clients int) load.Config {
	return load.Config{Addr: r.server.Addr, Requests: r.workload(r.server.Addr), Conns: clients,
		Timeout: r.limit}
}

func (r *run) findKnee(ctx context.Context) (err error) {
	if r.knee = r.options.knee; r.knee > 0 {
		return nil
	}
	cfg := r.config(r.clients)
	cfg.Rate, cfg.Warmup, cfg.Duration = r.firstRate, r.step/4, r.step
	found, err := load.FindKnee(ctx, cfg, kneeP99, func(s load.KneeStep) {
		fmt.Fprintf(r.log, "%s: %v\n", r.name, s)
	})
	if err != nil {
		return err
	}
	if r.knee = found.Rate; r.knee == 0 {
		return fmt.Errorf("no knee: not even %.0f requests a second were answered in time; is "+
			"the machine busy?", r.firstRate)
	}
	return nil
}

// overload offers the knee, then each of the rates, then the storm.
func (r *run) overload(ctx context.Context) error {
	if err := r.offer(ctx, "the knee", 1, r.load, 0); err != nil {
		return err
	}
	for _, k := range r.rates {
		if err := r.offer(ctx, fmt.Sprintf("%g times", k), k, r.load, 0); err != nil {
			return err
		}
	}
	if r.storm > 0 {
		return r.offer(ctx, "5 times, each retried 3 times", 5, r.storm, 3)
	}
	return nil
}

// offer offers k times the knee, and then watches the recovery.
func (r *run) offer(ctx context.Context, name string, k float64, d time.Duration,
	retries int) error {
	cfg := r.config(int(float64(r.clients) * k))
	cfg.Rate, cfg.Warmup, cfg.Duration, cfg.Retries = k*r.knee, r.settle, d, retries
	cfg.Patience = time.Millisecond
	fmt.Fprintf(r.log, "%s: %s, %.0f a second\n", r.name, name, cfg.Rate)
	p := phase{name: name, rate: cfg.Rate, seconds: d.Seconds()}
	began := time.Now()
	cpu, err := r.server.During(func() (err error) {
		p.result, err = load.Run(ctx, cfg)
		return err
	})
	if err != nil {
		return err
	}
	p.cpu = cpu.Seconds() / time.Since(began).Seconds()
	if k > 1 {
		p.slices, err = r.recover(ctx)
	}
	r.phases = append(r.phases, p)
	return err
}

// recover offers 80 % of the knee, one slice at a time.
func (r *run) recover(ctx context.Context) (slices []slice, err error) {
	cfg := r.config(r.clients)
	cfg.Rate, cfg.Duration = 0.8*r.knee, r.slice
	for range r.after {
		result, err := load.Run(ctx, cfg)
		if err != nil {
			return slices, err
		}
		slices = append(slices,
			slice{due: int64(cfg.Rate * r.slice.Seconds()), good: result.Good})
	}
	return slices, nil
}
