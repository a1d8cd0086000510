package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tickercast/predict/metrics"
)

// A reloader replaces what is served when its files change or somebody asks. What cannot be read or
// checked replaces nothing.
type reloader struct {
	parts  []*part
	logger *slog.Logger

	mu       sync.Mutex             // one reload at a time; guards what the parts remember
	failure  atomic.Pointer[string] // of all parts, as last told
	ok, fail *metrics.Counter
}

// A part is what is read anew as a whole: all of it, or nothing on an error.
type part struct {
	paths []string
	load  func() error
	what  func() []any // for the log, of what is served now; nil is nothing

	seen    stamp // of the files at the last reload; zero in newReloader: as they are then
	looked  stamp // of the files at the last look
	failure string
}

func newReloader(logger *slog.Logger, reg *metrics.Registry, parts ...*part) *reloader {
	r := &reloader{parts: parts, logger: logger}
	const help = "Reloads of weights, prices, keys and certificates, by how they ended."
	r.ok = reg.Counter("reloads_total", help, metrics.Label{Name: "result", Value: "ok"})
	r.fail = reg.Counter("reloads_total", help, metrics.Label{Name: "result", Value: "refused"})
	for _, p := range parts {
		p.looked, _ = stampOf(p.paths) // a file that is gone by now shows as a change
		if p.seen == (stamp{}) {
			p.seen = p.looked
		}
	}
	return r
}

// reload reads everything anew; why goes to the log. The error is of the parts that stay as they
// were; the others are replaced.
func (r *reloader) reload(why string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reloadLocked(why, r.parts)
}

func (r *reloader) reloadLocked(why string, parts []*part) error {
	start := time.Now()
	var failed []string
	log := []any{"why", why}
	for _, p := range parts {
		p.seen, _ = stampOf(p.paths) // before reading: a change during it is seen at the next look
		p.failure = ""
		if err := p.read(); err != nil {
			p.failure = err.Error()
			failed = append(failed, p.failure)
		} else if p.what != nil {
			log = append(log, p.what()...)
		}
	}
	r.tellFailure()
	if failed != nil {
		err := errors.New("reload refused: " + strings.Join(failed, "; "))
		r.fail.Inc()
		r.logger.Error("reload refused, serving what was served", "why", why, "error",
			strings.Join(failed, "; "))
		return err
	}
	r.ok.Inc()
	r.logger.Info("reloaded", append(log, "took",
		time.Since(start).Round(time.Millisecond).String())...)
	return nil
}

// read is load, for files that come while others are served: not even one that makes the program
// panic ends it.
func (p *part) read() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("reading %q: panic: %v", p.paths, v)
		}
	}()
	return p.load()
}

func (r *reloader) tellFailure() {
	var failed []string
	for _, p := range r.parts {
		if p.failure != "" {
			failed = append(failed, p.failure)
		}
	}
	text := strings.Join(failed, "; ")
	r.failure.Store(&text)
}

// lastFailure is why something is older than its files, or "" when nothing is.
func (r *reloader) lastFailure() string {
	if s := r.failure.Load(); s != nil {
		return *s
	}
	return ""
}

// watches reports whether there is any file to look at.
func (r *reloader) watches() bool {
	for _, p := range r.parts {
		if len(p.paths) > 0 {
			return true
		}
	}
	return false
}

// watch looks at the files every interval until ctx ends. It reloads what has changed and then
// stayed the same for one interval, so that a file which is still being copied is not read by half.
func (r *reloader) watch(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		r.look()
	}
}

func (r *reloader) look() {
	r.mu.Lock()
	defer r.mu.Unlock()
	var changed []*part
	for _, p := range r.parts {
		now, err := stampOf(p.paths)
		if err != nil {
			continue // gone while it is being replaced; what is served stays
		}
		if now != p.seen && now == p.looked {
			changed = append(changed, p)
		}
		p.looked = now
	}
	if changed != nil {
		r.reloadLocked("files changed", changed)
	}
}
