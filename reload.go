package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"tickercast/predict/metrics"
)

// A reloader replaces the world that is served when its files change or somebody
// asks. A world that cannot be read or checked replaces nothing.
type reloader struct {
	source source
	swap   func(world) error
	logger *slog.Logger

	mu       sync.Mutex // one reload at a time
	seen     stamp      // of the files at the last reload, guarded by mu
	failure  atomic.Pointer[string]
	ok, fail *metrics.Counter
}

func newReloader(src source, swap func(world) error, logger *slog.Logger, reg *metrics.Registry) *reloader {
	r := &reloader{source: src, swap: swap, logger: logger}
	const help = "Reloads of weights and prices, by how they ended."
	r.ok = reg.Counter("reloads_total", help, metrics.Label{Name: "result", Value: "ok"})
	r.fail = reg.Counter("reloads_total", help, metrics.Label{Name: "result", Value: "refused"})
	r.seen, _ = src.stamp() // a file that is gone by now shows as a change
	return r
}

// reload reads the world anew; why goes to the log.
func (r *reloader) reload(why string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reloadLocked(why)
}

func (r *reloader) reloadLocked(why string) error {
	start := time.Now()
	r.seen, _ = r.source.stamp() // before reading: a change during it is seen at the next look
	w, err := r.source.load()
	if err == nil {
		err = r.swap(w)
	}
	if err != nil {
		r.fail.Inc()
		text := err.Error()
		r.failure.Store(&text)
		r.logger.Error("reload refused, serving what was served", "why", why, "error", text)
		return fmt.Errorf("reload refused: %w", err)
	}
	r.ok.Inc()
	r.failure.Store(nil)
	r.logger.Info("reloaded", "why", why, "model", w.model.Version(), "as_of", w.market.AsOf().String(),
		"tickers", len(w.market.Tickers()), "took", time.Since(start).Round(time.Millisecond).String())
	return nil
}

// lastFailure is the error of the last reload, or "" when it went well.
func (r *reloader) lastFailure() string {
	if s := r.failure.Load(); s != nil {
		return *s
	}
	return ""
}

// watch looks at the files every interval until ctx ends. It reloads when they have
// changed and then stayed the same for one interval, so that a file which is still
// being copied is not read by half.
func (r *reloader) watch(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var last stamp
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, err := r.source.stamp()
		if err != nil {
			continue // gone while it is being replaced; what is served stays
		}
		r.mu.Lock()
		if now != r.seen && now == last {
			r.reloadLocked("files changed")
		}
		r.mu.Unlock()
		last = now
	}
}
