package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// run is the state of one Run.
type run struct {
	cfg   Config
	start time.Time
	left  atomic.Int64 // closed loop: requests that may still be sent

	mu     sync.Mutex
	result *Result // guarded by mu; replaced after the warm-up
}

// Run sends until Duration has passed, Count requests were sent or ctx is done. It returns an error
// if the configuration is not valid or the server cannot be reached at all; faults of the server
// under load are part of the result.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	conns, err := dialAll(ctx, cfg)
	if err != nil {
		return nil, err
	}
	r := &run{cfg: cfg, start: time.Now(), result: newResult(cfg)}
	if cfg.Warmup > 0 {
		r.phase(ctx, conns, cfg.Warmup, 0)
		r.result = newResult(cfg)
	}
	began, cpu := r.now(), ProcessCPU()
	around := cfg.Around
	if around == nil {
		around = func(part func()) { part() }
	}
	around(func() { r.phase(ctx, conns, cfg.Duration, cfg.Count) })
	r.result.finish(r.now()-began, ProcessCPU()-cpu)
	closeAll(conns)
	return r.result, nil
}

func (r *run) now() time.Duration { return time.Since(r.start) }

func (r *run) update(f func(*Result)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r.result)
}

// dialAll opens the connections, a few at a time so that they fit in the server's listen queue.
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
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) > 0 {
		closeAll(conns)
		return nil, fmt.Errorf("load: opening %d of %d connections: %w", len(errs), cfg.Conns,
			errs[0])
	}
	return conns, nil
}

func closeAll(conns []*conn) {
	for _, c := range conns {
		if c.c != nil {
			c.c.Close()
		}
	}
}

func (c *conn) dial(ctx context.Context, cfg Config) (err error) {
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	c.c, err = cfg.Dial(ctx)
	c.deadline = -cfg.Timeout // the next exchange sets it
	if cfg.Streams > 0 {
		c.streams = newStreams()
	}
	return err
}

// phase sends for d, or until count requests were sent if count is not 0, and waits for the
// answers.
func (r *run) phase(ctx context.Context, conns []*conn, d time.Duration, count int64) {
	count = cmp.Or(count, 1<<62)
	began := r.now()
	end := began + d
	due := make(chan time.Duration)
	next := func() (time.Duration, bool) {
		t, ok := <-due
		return t, ok
	}
	if r.cfg.Rate == 0 {
		r.left.Store(count)
		next = func() (time.Duration, bool) {
			t := r.now()
			return t, t < end && r.left.Add(-1) >= 0 && ctx.Err() == nil
		}
	}
	var wg sync.WaitGroup
	for i, c := range conns {
		work := r.work
		if r.cfg.Streams > 0 {
			work = r.workStreams
		}
		wg.Go(func() { work(ctx, c, r.cfg.Requests(i), next) })
	}
	if r.cfg.Rate > 0 {
		unsent := r.dispatch(ctx, due, began, end, count)
		r.update(func(res *Result) { res.Unsent += unsent })
		close(due)
	}
	wg.Wait()
}

// work sends requests on one connection when next says that one is due.
func (r *run) work(ctx context.Context, c *conn, request func() []byte,
	next func() (time.Duration, bool)) {
	for {
		at, ok := next()
		if !ok {
			return
		}
		if r.impatient(at, r.now()) {
			r.update(func(res *Result) { res.Unsent++ })
			continue
		}
		b := request()
		for try := 0; !r.send(ctx, c, b, at) && try < r.cfg.Retries && ctx.Err() == nil; try++ {
			r.update(func(res *Result) { res.Retries++ })
			at = r.now()
		}
	}
}

// send sends a request that was due at a time, and reports whether the answer was good. It opens
// the connection again if it was lost.
func (r *run) send(ctx context.Context, c *conn, request []byte, at time.Duration) (good bool) {
	reconnect := c.c == nil
	if reconnect {
		if err := c.dial(ctx, r.cfg); err != nil {
			c.c = nil
			r.update(func(res *Result) {
				res.Errors["dial"]++
				res.Latency.Record(r.now() - at)
			})
			if r.cfg.Rate == 0 {
				time.Sleep(10 * time.Millisecond) // do not spin if the server is gone
			}
			return false
		}
	}
	sent := at
	if r.cfg.Rate > 0 {
		sent = r.now()
	}
	before := c.read
	resp, err := c.exchange(request, sent)
	got := r.now()
	unexpected := err == nil && r.cfg.Check != nil && r.cfg.Check(resp.status, resp.body) != nil
	if err != nil || resp.close {
		c.c.Close()
		c.c = nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	res := r.result
	res.BytesRead += c.read - before
	res.Latency.Record(got - at)
	res.Service.Record(got - sent)
	if reconnect {
		res.Reconnects++
	}
	if err != nil {
		res.Errors[errorName(err)]++
		return false
	}
	if unexpected {
		res.Errors["unexpected"]++
	}
	if resp.close {
		res.Closes++
	}
	return res.count(resp.status, got-at, got-sent, r.cfg.Timeout)
}

// errorName is the name under which a Result counts a fault of an exchange.
func errorName(err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, errMalformed), errors.Is(err, errUnsolicited):
		return "malformed"
	}
	return "closed"
}
