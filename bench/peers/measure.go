//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tickercast/bench"
	"tickercast/bench/load"
)

// A sample is what one round measured of one server.
type sample struct {
	perSecond float64       // closed loop: answers
	cpu       float64       // closed loop: CPU time of the server for an answer, in microseconds
	client    float64       // closed loop: the same of the generator
	p50, p99  time.Duration // open loop: latency
	memory    int64         // bytes resident after both
}

// measure runs a closed loop and then an open one.
func (c *contender) measure(ctx context.Context, o options) (sample, error) {
	mix := bench.Hit
	if c.mix != nil {
		mix = c.mix
	}
	cfg := load.Config{
		Addr: c.addr, Requests: mix(c.addr), Conns: o.conns,
		Duration: time.Duration(o.seconds * float64(time.Second)),
	}
	warm := cfg
	warm.Duration = 300 * time.Millisecond
	if _, err := drive(ctx, warm); err != nil {
		return sample{}, err
	}

	before, err := c.server.Usage()
	if err != nil {
		return sample{}, err
	}
	r, err := drive(ctx, cfg)
	if err != nil {
		return sample{}, err
	}
	after, err := c.server.Usage()
	if err != nil {
		return sample{}, err
	}
	s := sample{
		perSecond: r.PerSecond,
		cpu:       (after.CPU - before.CPU).Seconds() * 1e6 / float64(r.Answers),
		client:    r.GeneratorCPU,
		memory:    after.Memory,
	}

	cfg.Rate = o.rate
	if r, err = drive(ctx, cfg); err != nil {
		return sample{}, err
	}
	s.p50, s.p99 = r.Latency.Quantile(0.50), r.Latency.Quantile(0.99)
	return s, nil
}

// drive runs a load that no request may fail, but for those of a server that cannot keep up.
func drive(ctx context.Context, cfg load.Config) (*load.Result, error) {
	r, err := load.Run(ctx, cfg)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil && (r.Answers == 0 || r.Failed() > r.Unsent) {
		err = fmt.Errorf("requests failed: %s", r)
	}
	return r, err
}

// median of a figure over the rounds.
func median[T int64 | float64 | time.Duration](samples []sample, figure func(sample) T) T {
	values := make([]T, len(samples))
	for i, s := range samples {
		values[i] = figure(s)
	}
	return medianOf(values)
}

func medianOf[T int64 | float64 | time.Duration](values []T) T {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// ratio is the median over the rounds of the CPU time of a to that of b in the same round.
func ratio(a, b *contender) float64 {
	values := make([]float64, min(len(a.samples), len(b.samples)))
	for i := range values {
		values[i] = a.samples[i].cpu / b.samples[i].cpu
	}
	return medianOf(values)
}
