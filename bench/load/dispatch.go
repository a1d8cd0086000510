package load

import (
	"context"
	"math/rand/v2"
	"time"
)

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
		if r.cfg.Patience > 0 {
			if !r.offer(ctx, due, at+r.cfg.Patience) {
				unsent++
				r.tally.Load().latency.Record(r.now() - at)
			}
			continue
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

// offer waits until a connection takes a request, or until a time.
func (r *run) offer(ctx context.Context, due chan<- time.Duration, until time.Duration) bool {
	wait := until - r.now()
	if wait <= 0 {
		return false
	}
	patience := time.NewTimer(wait)
	defer patience.Stop()
	select {
	case due <- until - r.cfg.Patience:
		return true
	case <-patience.C:
	case <-ctx.Done():
	}
	return false
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
