package load

import (
	"context"
	"errors"
	"fmt"
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

	// open loop: requests that had waited for longer than Patience when a connection took them
	givenUp atomic.Int64
}

// Run connects, sends and measures until Duration has passed, Count requests were sent or ctx is
// done, and returns what it measured. It returns an error when the configuration is not valid or
// the server cannot be reached at all; faults of the server under load are part of the result.
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

// dialAll opens the connections, a few at a time so that the listen queue of the server does not
// overflow.
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

// phase sends for d, or until count requests were sent if count is not 0, and returns once every
// answer is in. In an open loop it returns the number of requests that were due and never sent.
func (r *run) phase(ctx context.Context, conns []*conn, d time.Duration,
	count int64) (unsent int64) {
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
	return unsent + r.givenUp.Swap(0)
}

// work sends on one connection whatever next says is due.
func (r *run) work(ctx context.Context, c *conn, request func() []byte,
	next func() (time.Duration, bool)) {
	for {
		at, ok := next()
		if !ok {
			return
		}
		if r.impatient(at, r.now()) {
			r.givenUp.Add(1)
			continue
		}
		b := request()
		for try := 0; !r.send(ctx, c, b, at) && try < r.cfg.Retries && ctx.Err() == nil; try++ {
			r.tally.Load().retries.Add(1)
			at = r.now()
		}
	}
}

// send sends a request that was due at a time, on a connection that is opened anew when it was
// lost, and reports whether the answer was good.
func (r *run) send(ctx context.Context, c *conn, request []byte, at time.Duration) (good bool) {
	t := r.tally.Load()
	if c.c == nil {
		if err := c.dial(ctx, r.cfg); err != nil {
			c.c = nil
			t.fail("dial")
			t.latency.Record(r.now() - at)
			if r.cfg.Rate == 0 {
				// a server that is gone need not be asked a million times a second
				time.Sleep(10 * time.Millisecond)
			}
			return false
		}
		t.reconnects.Add(1)
	}
	sent := at
	if r.cfg.Rate > 0 {
		sent = r.now()
	}
	before := c.read
	resp, err := c.exchange(request, sent)
	got := r.now()
	t.bytes.Add(c.read - before)
	t.latency.Record(got - at)
	t.service.Record(got - sent)
	if err != nil {
		t.fail(kindOf(err))
	} else {
		good = t.answer(resp.status, got-at, got-sent, r.cfg.Timeout)
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
	return good
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
