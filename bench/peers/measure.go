//go:build linux

package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"time"

	"tickercast/bench/load"
)

// A sample holds the figures that one round measured of one server.
type sample [numFigures]float64

const (
	perSecond = iota // closed loop: answers
	cpu              // closed loop: CPU time of the server for an answer, in microseconds
	client           // closed loop: CPU time of the generator for an answer
	memory           // megabytes resident after the closed loop
	p50              // open loop: latency in milliseconds
	p99              // open loop: latency in milliseconds
	numFigures
)

// measure runs a closed loop and then, on the first road, an open one.
func (c *contender) measure(ctx context.Context, o options) (sample, error) {
	workload := c.road.Workload
	if c.workload != nil {
		workload = c.workload
	}
	cfg := load.Config{Addr: c.addr, Requests: workload(c.addr), Conns: c.road.Conns,
		Streams: c.road.Streams, Duration: time.Duration(o.seconds * float64(time.Second))}
	if c.road.TLS {
		protocol := "http/1.1"
		if c.road.Streams > 0 {
			protocol = "h2"
		}
		d := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true,
			NextProtos: []string{protocol}}}
		cfg.Dial = func(ctx context.Context) (net.Conn, error) {
			return d.DialContext(ctx, "tcp", c.addr)
		}
	}
	warm := cfg
	warm.Duration = 300 * time.Millisecond
	if _, err := drive(ctx, warm); err != nil {
		return sample{}, err
	}

	var r *load.Result
	used, err := c.server.During(func() (err error) {
		r, err = drive(ctx, cfg)
		return err
	})
	if err != nil {
		return sample{}, err
	}
	u, err := c.server.Usage()
	if err != nil {
		return sample{}, err
	}
	m := sample{
		perSecond: r.PerSecond,
		cpu:       used.Seconds() * 1e6 / float64(r.Answers),
		client:    r.GeneratorCPU,
		memory:    float64(u.Memory) / 1e6,
	}
	if c.road.Name != firstRoad {
		return m, nil
	}
	cfg.Rate = o.rate
	open, err := drive(ctx, cfg)
	if err != nil {
		return sample{}, err
	}
	m[p50] = open.Latency.Quantile(0.50).Seconds() * 1e3
	m[p99] = open.Latency.Quantile(0.99).Seconds() * 1e3
	return m, nil
}

// drive runs a load. No request may fail, but requests may stay unsent if the server is too slow.
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

// values returns a figure of every round.
func (c *contender) values(figure int) (all []float64) {
	for _, s := range c.samples {
		all = append(all, s[figure])
	}
	return all
}

func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// cpuRatio returns the median over the rounds of the CPU time of c to that of other.
func (c *contender) cpuRatio(other *contender) float64 {
	ratios, divisors := c.values(cpu), other.values(cpu)
	for i := range ratios {
		ratios[i] /= divisors[i]
	}
	return median(ratios)
}
