package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// run is the state of one Run. Its tally starts anew when the warm-up is over.
type run struct {
	cfg   Config
	start time.Time
	tally atomic.Pointer[tally]
	left  atomic.Int64 // closed loop: requests that may still be sent
}

// Run connects, sends and measures until Duration has passed, Count requests were sent or ctx is done, and returns what
// it measured. It returns an error when the configuration is not valid or the server cannot be reached at all; faults
// of the server under load are part of the result.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	conns, err := dialAll(ctx, cfg)
	if err != nil {
		return nil, err
	}
	r := &run{cfg: cfg, start: time.Now()}
	r.tally.Store(new(tally))
	if cfg.Warmup > 0 {
		r.phase(ctx, conns, cfg.Warmup, 0)
		r.tally.Store(new(tally))
	}

	began, cpu := r.now(), ProcessCPU()
	done := make(chan struct{})
	var watcher sync.WaitGroup
	if cfg.Progress != nil {
		watcher.Go(func() { r.report(began, done) })
	}
	unsent := r.phase(ctx, conns, cfg.Duration, cfg.Count)
	close(done)
	watcher.Wait()
	elapsed := r.now() - began

	for _, c := range conns {
		if c.c != nil {
			c.c.Close()
		}
	}
	return r.tally.Load().result(cfg, elapsed, unsent, ProcessCPU()-cpu), nil
}

func (r *run) now() time.Duration { return time.Since(r.start) }

func (r *run) report(began time.Duration, done <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			r.cfg.Progress(r.tally.Load().progress(r.now() - began))
		}
	}
}

// dialAll opens the connections, a few at a time so that the listen queue of the server does not overflow.
func dialAll(ctx context.Context, cfg Config) ([]*conn, error) {
	conns := make([]*conn, cfg.Conns)
	errs := make([]error, cfg.Conns)
	var wg sync.WaitGroup
	gate := make(chan struct{}, 64)
	for i := range conns {
		gate <- struct{}{}
		wg.Go(func() {
			defer func() { <-gate }()
			conns[i] = &conn{timeout: cfg.Timeout, yield: cfg.Rate == 0}
			errs[i] = conns[i].dial(ctx, cfg)
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		for i, c := range conns {
			if errs[i] == nil {
				c.c.Close()
			}
		}
		failed := 0
		for _, e := range errs {
			if e != nil {
				failed, err = failed+1, e
			}
		}
		return nil, fmt.Errorf("load: opening %d of %d connections: %w", failed, cfg.Conns, err)
	}
	return conns, nil
}

func (c *conn) dial(ctx context.Context, cfg Config) (err error) {
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	c.c, err = cfg.Dial(ctx)
	c.deadline = -cfg.Timeout // the next exchange sets it
	return err
}

// phase sends for d, or until count requests were sent if count is not 0, and returns once every answer is in. In an
// open loop it returns the number of requests that were due and never sent.
func (r *run) phase(ctx context.Context, conns []*conn, d time.Duration, count int64) (unsent int64) {
	began := r.now()
	end := began + d
	due := make(chan time.Duration)
	next := func() (time.Duration, bool) {
		t, ok := <-due
		return t, ok
	}
	if r.cfg.Rate == 0 {
		if r.left.Store(count); count == 0 {
			r.left.Store(1 << 62)
		}
		next = func() (time.Duration, bool) {
			t := r.now()
			return t, t < end && r.left.Add(-1) >= 0 && ctx.Err() == nil
		}
	}
	var wg sync.WaitGroup
	for i, c := range conns {
		wg.Go(func() { r.work(ctx, c, r.cfg.Requests(i), next) })
	}
	if r.cfg.Rate > 0 {
		unsent = r.dispatch(ctx, due, began, end, count)
		close(due)
	}
	wg.Wait()
	return unsent
}

// dispatch hands the time at which each request is due to a free connection, when it is due or as soon after as a
// connection is free. Being late does not move the times that follow.
func (r *run) dispatch(ctx context.Context, due chan<- time.Duration, began, end time.Duration, count int64) (unsent int64) {
	sleep := r.cfg.Sleep
	if sleep == nil {
		clock := newClock()
		defer clock.close()
		sleep = clock.sleep
	}
	patience := time.NewTimer(end - r.now() + r.cfg.Timeout)
	defer patience.Stop()
	gap := r.gaps()
	if count == 0 {
		count = 1 << 62
	}
	for at := began; at < end && count > 0; at += gap() {
		count--
		for wait := at - r.now(); wait > 0; wait = at - r.now() {
			if ctx.Err() != nil {
				return unsent
			}
			sleep(min(wait, 100*time.Millisecond))
		}
		select {
		case due <- at:
			continue
		default:
		}
		select {
		case due <- at:
		case <-ctx.Done():
			return unsent
		case <-patience.C:
			// The server is too far behind to wait for. What is left counts with the time it has waited by now, so that
			// giving up does not flatter the quantiles.
			for ; at < end && count >= 0; at += gap() {
				count--
				unsent++
				r.tally.Load().latency.Record(r.now() - at)
			}
			return unsent
		}
	}
	return unsent
}

// gaps returns the function that draws the time between one request and the next.
func (r *run) gaps() func() time.Duration {
	mean := float64(time.Second) / r.cfg.Rate
	rng := rand.New(rand.NewPCG(r.cfg.Seed, 0))
	var exact, given float64 // so that gaps of whole nanoseconds add up to the exact rate
	return func() time.Duration {
		if r.cfg.Poisson {
			exact += mean * rng.ExpFloat64()
		} else {
			exact += mean
		}
		gap := time.Duration(exact - given)
		given += float64(gap)
		return gap
	}
}

// work sends on one connection whatever next says is due, and opens it anew when it was lost.
func (r *run) work(ctx context.Context, c *conn, request func() []byte, next func() (time.Duration, bool)) {
	for {
		at, ok := next()
		if !ok {
			return
		}
		t := r.tally.Load()
		if c.c == nil {
			if err := c.dial(ctx, r.cfg); err != nil {
				c.c = nil
				t.fail("dial")
				t.latency.Record(r.now() - at)
				if r.cfg.Rate == 0 {
					time.Sleep(10 * time.Millisecond) // a server that is gone need not be asked a million times a second
				}
				continue
			}
			t.reconnects.Add(1)
		}
		sent := at
		if r.cfg.Rate > 0 {
			sent = r.now()
		}
		before := c.read
		resp, err := c.exchange(request(), sent)
		got := r.now()
		t.bytes.Add(c.read - before)
		t.latency.Record(got - at)
		t.service.Record(got - sent)
		if err != nil {
			t.fail(kindOf(err))
		} else {
			t.answer(resp.status)
			if resp.close {
				t.closes.Add(1)
			}
			if r.cfg.Check != nil && r.cfg.Check(resp.status, resp.body) != nil {
				t.fail("unexpected")
			}
		}
		if err != nil || resp.close {
			c.c.Close()
			c.c = nil
		}
	}
}

// kindOf names a fault of an exchange for the result.
func kindOf(err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, errMalformed), errors.Is(err, errUnsolicited):
		return "malformed"
	}
	return "closed"
}
