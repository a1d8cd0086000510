package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"tickercast/model/market"
	"tickercast/model/source"
	"tickercast/predict"
	"tickercast/predict/internal/metrics"
)

// A reloader replaces what is served when its files change or someone asks. What cannot be read or
// checked replaces nothing.
type reloader struct {
	resources []*resource
	logger    *slog.Logger

	mu       sync.Mutex             // one reload at a time; guards what resources remember
	failure  atomic.Pointer[string] // of all resources
	ok, fail *metrics.Counter
}

// A resource is what is loaded as a whole: all of it, or nothing on an error.
type resource struct {
	paths    []string
	load     func(context.Context) error
	warn     func()       // logs what is doubtful about what was loaded; nil: nothing
	describe func() []any // for the log, of what is served now; nil: nothing to say

	loadedAt source.Fingerprint // of the files when they were last loaded
	lastSeen source.Fingerprint // of the files at the last poll
	failure  string
}

func newReloader(logger *slog.Logger, reg *metrics.Registry, resources []*resource) *reloader {
	const help = "Reloads of weights, prices, keys and certificates, by how they ended."
	return &reloader{
		resources: resources,
		logger:    logger,
		ok: reg.Counter("reloads_total", help,
			metrics.Label{Name: "result", Value: "ok"}),
		fail: reg.Counter("reloads_total", help,
			metrics.Label{Name: "result", Value: "refused"}),
	}
}

// resources are all that the server loads: the model and the prices, then the credentials.
func (s *Server) resources() []*resource {
	var old *market.Market
	data := &resource{
		paths: s.cfg.Watch,
		load: func(ctx context.Context) error {
			m, mk, err := s.cfg.Load(ctx)
			if err != nil {
				return err
			}
			_, old = s.service.Current()
			return s.service.Swap(m, mk)
		},
		warn: func() { s.warnAboutPrices(old) },
		describe: func() []any {
			m, mk := s.service.Current()
			return []any{"model", m.Version(), "as_of", mk.AsOf().String(),
				"tickers", len(mk.Tickers()), "calendars", mk.Calendars()}
		},
	}
	return append([]*resource{data}, s.creds.resources(&s.cfg)...)
}

// loadFirst loads every resource, or returns the error of the first that cannot be loaded.
func (r *reloader) loadFirst(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, res := range r.resources {
		// Before reading: a change during it is seen at the next poll.
		res.loadedAt, _ = source.FingerprintOf(res.paths)
		res.lastSeen = res.loadedAt
		if err := res.load(ctx); err != nil {
			return err
		}
	}
	return nil
}

// reload loads everything again. why goes to the log. The error is of the resources that stay as
// they were; the others are replaced.
func (r *reloader) reload(ctx context.Context, why string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reloadLocked(ctx, why, r.resources)
}

func (r *reloader) reloadLocked(ctx context.Context, why string, resources []*resource) error {
	start := time.Now()
	var failed []string
	attrs := []any{"why", why}
	for _, res := range resources {
		res.loadedAt, _ = source.FingerprintOf(res.paths)
		res.failure = ""
		if err := res.loadSafely(ctx); err != nil {
			res.failure = err.Error()
			failed = append(failed, res.failure)
			continue
		}
		if res.warn != nil {
			res.warn()
		}
		if res.describe != nil {
			attrs = append(attrs, res.describe()...)
		}
	}
	r.recordFailuresLocked()
	if failed != nil {
		reasons := strings.Join(failed, "; ")
		r.fail.Inc()
		r.logger.Error("reload refused, serving what was served", "why", why, "error", reasons)
		return errors.New("reload refused: " + reasons)
	}
	r.ok.Inc()
	r.logger.Info("reloaded", append(attrs,
		"took", time.Since(start).Round(time.Millisecond).String())...)
	return nil
}

// loadSafely turns a panic into an error: no file may end a server that serves others.
func (res *resource) loadSafely(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("reading %q: panic: %v", res.paths, v)
		}
	}()
	return res.load(ctx)
}

func (r *reloader) recordFailuresLocked() {
	var failed []string
	for _, res := range r.resources {
		if res.failure != "" {
			failed = append(failed, res.failure)
		}
	}
	text := strings.Join(failed, "; ")
	r.failure.Store(&text)
}

// lastFailure says why something served is older than its files; it is empty when nothing is.
func (r *reloader) lastFailure() string {
	if s := r.failure.Load(); s != nil {
		return *s
	}
	return ""
}

// watches reports whether there is any file to watch.
func (r *reloader) watches() bool {
	for _, res := range r.resources {
		if len(res.paths) > 0 {
			return true
		}
	}
	return false
}

// watch polls the files until ctx ends.
func (r *reloader) watch(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.poll(ctx)
		}
	}
}

// poll reloads what has changed and then stayed the same for one interval, so that a file which is
// still being copied is not read half.
func (r *reloader) poll(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var changed []*resource
	for _, res := range r.resources {
		now, err := source.FingerprintOf(res.paths)
		if err != nil {
			continue // gone while it is being replaced; what is served stays
		}
		if now != res.loadedAt && now == res.lastSeen {
			changed = append(changed, res)
		}
		res.lastSeen = now
	}
	if changed != nil {
		r.reloadLocked(ctx, "files changed", changed)
	}
}

// warnAboutPrices logs what of the prices is served but may not be what was meant. If old is not
// nil, that includes what it had and the prices lack.
func (s *Server) warnAboutPrices(old *market.Market) {
	_, mk := s.service.Current()
	warnings := mk.Warnings()
	if old != nil {
		warnings = append(slices.Clip(warnings), market.Compare(old, mk)...)
	}
	for _, w := range warnings {
		s.logger.Warn(w.String(), "kind", w.Kind, "count", w.Count)
	}
	if n := countUnreachable(mk); n > 0 {
		s.logger.Warn("tickers with names too long to be asked for over HTTP", "tickers", n,
			"longest", predict.MaxTicker)
	}
	if files := mk.Panel().Truncated(); len(files) > 0 {
		s.logger.Warn("prices that end without a line break and may be cut short", "files", files)
	}
}

// countUnreachable counts the tickers that only the command line can name: a request's ticker has
// at most predict.MaxTicker characters.
func countUnreachable(mk *market.Market) (n int) {
	for i := range mk.Tickers() {
		name := mk.Tickers()[i].Name
		if utf8.RuneCountInString(name) <= predict.MaxTicker {
			continue
		}
		short := market.WithoutSuffix(name)
		t, ok := mk.Find([]byte(short))
		if !ok || t.Index != i || utf8.RuneCountInString(short) > predict.MaxTicker {
			n++
		}
	}
	return n
}

// ready reports whether a balancer should send requests here, and the reasons why not, or what is
// wrong although it should.
func (s *Server) ready() (bool, []string) {
	if s.draining.Load() {
		return false, []string{"draining"}
	}
	if failure := s.reloader.lastFailure(); failure != "" {
		return true, []string{"the last reload was refused: " + failure}
	}
	return true, nil
}

// serveReload is POST /-/reload: 200, or 422 with the file and line at fault, after which what was
// served before is served.
func (s *Server) serveReload(w http.ResponseWriter, r *http.Request) {
	status, body := http.StatusOK, map[string]any{"status": "reloaded"}
	// A reload that has begun goes on when its client leaves.
	ctx := context.WithoutCancel(r.Context())
	if err := s.reloader.reload(ctx, "POST /-/reload"); err != nil {
		status, body = http.StatusUnprocessableEntity, map[string]any{"detail": err.Error()}
	} else {
		m, mk := s.service.Current()
		body["model_version"] = m.Version()
		body["as_of"] = mk.AsOf().String()
	}
	data, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(data, '\n'))
}
