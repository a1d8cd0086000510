package load

import (
	"context"
	"math/rand/v2"
	"time"
)

// dispatch sends the time at which each request is due to a free connection, at that time or as
// soon after as a connection is free. Being late does not move the times that follow.
func (r *run) dispatch(ctx context.Context, due chan<- time.Duration, began, end time.Duration,
	count int64) (unsent int64) {
	sleep := r.cfg.Sleep
	if sleep == nil {
		clock := newClock()
		defer clock.close()
		sleep = clock.sleep
	}
	patience := time.NewTimer(end - r.now() + r.cfg.Timeout)
	defer patience.Stop()
	gap := r.gaps()
	now := began
	for at := began; at < end && count > 0; at += gap() {
		count--
		if r.impatient(at, now) {
			unsent++ // without reading the clock for each of a million late ones
			continue
		}
		for now = r.now(); now < at; now = r.now() {
			if ctx.Err() != nil {
				return unsent
			}
			sleep(min(at-now, 100*time.Millisecond))
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
			// The server is too far behind. The rest counts with the time it has waited so far, so
			// that giving up does not improve the quantiles.
			for ; at < end && count >= 0; at += gap() {
				count--
				unsent++
				r.update(func(res *Result) { res.Latency.Record(r.now() - at) })
			}
			return unsent
		}
	}
	return unsent
}

// impatient reports whether a request that was due at a time is given up by now.
func (r *run) impatient(at, now time.Duration) bool {
	return r.cfg.Patience > 0 && r.cfg.Rate > 0 && now-at > r.cfg.Patience
}

// gaps returns a function that returns the time from one request to the next.
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
