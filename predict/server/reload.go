package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"tickercast/model/market"
	"tickercast/predict"
	"tickercast/predict/internal/metrics"
	"tickercast/predict/internal/systemd"
)

// A reloader replaces what is served when its files change, on SIGHUP and on POST /-/reload. A file
// that cannot be read or checked replaces nothing. Resources are independent: a slow or broken one
// holds up no other.
type reloader struct {
	resources []*resource
	logger    *slog.Logger
	ok, fail  *metrics.Counter
}

func newReloader(logger *slog.Logger, reg *metrics.Registry, resources []*resource) *reloader {
	const help = "Reloads of prices and weights, keys, token and certificate, by how they ended."
	r := &reloader{
		resources: resources,
		logger:    logger,
		ok:        reg.Counter("reloads_total", help, metrics.Label{Name: "result", Value: "ok"}),
		fail: reg.Counter("reloads_total", help,
			metrics.Label{Name: "result", Value: "refused"}),
	}
	for _, res := range resources {
		res.runner = newRunner(func(ctx context.Context, why string) error {
			return r.load(ctx, res, why)
		})
		for _, w := range res.files {
			reg.GaugeFunc("tickercast_last_reload_successful",
				"Whether what is served is what its files hold: 0 after a reload was refused, and "+
					"while files are not there or keep changing.", func() float64 {
					if _, ok := w.problem(); ok {
						return 0
					}
					return 1
				}, metrics.Label{Name: "resource", Value: w.name})
		}
	}
	return r
}

// resources are all that the server loads: the model and the prices, then the credentials.
func (s *Server) resources() []*resource {
	data := &resource{
		load: s.loadData,
		warn: s.warnAboutPrices,
		describe: func() []any {
			m, mk := s.service.Current()
			return []any{"model", m.Version(), "as_of", mk.AsOf().String(),
				"tickers", len(mk.Tickers()), "calendars", mk.Calendars()}
		},
	}
	for _, name := range slices.Sorted(maps.Keys(s.cfg.Watch)) {
		data.files = append(data.files, &watchedFiles{name: name, Watched: s.cfg.Watch[name]})
	}
	return append([]*resource{data}, s.creds.resources(&s.cfg)...)
}

// loadData loads model and prices. Where only one of them can be read, Load returns the other with
// what was served before, and an error.
func (s *Server) loadData(ctx context.Context) error {
	steps, mk, err := s.cfg.Load(ctx)
	if err != nil && mk == nil {
		return err
	}
	if s.access != nil {
		mk.Source().Sum() // so that no request waits for it
	}
	steps, worse, failed := s.preferBetter(ctx, steps, mk)
	if failed != nil {
		return errors.Join(err, failed)
	}
	err = errors.Join(err, worse)
	_, old := s.service.Current()
	if failed := s.service.Swap(ctx, steps, mk); failed != nil {
		return errors.Join(err, failed)
	}
	if mk != old { // else what differed from the prices before still does
		warnings := slices.Clip(mk.Warnings())
		if old != nil {
			warnings = append(warnings, market.Compare(old, mk)...)
		}
		s.warnings.Store(&warnings)
	}
	s.calibrate()
	return err
}

// loadFirst loads resources, or returns the error of the first that cannot be loaded.
func loadFirst(ctx context.Context, resources []*resource) error {
	for _, res := range resources {
		if err := res.loadSafely(ctx); err != nil {
			return err
		}
	}
	return nil
}

// serve executes reloads, polls the files and takes SIGHUP, until ctx ends.
func (r *reloader) serve(ctx context.Context, interval time.Duration, hangup <-chan os.Signal,
	manager *systemd.Notifier) {
	for _, res := range r.resources {
		go res.runner.serve(ctx)
		if interval > 0 && len(res.files) > 0 {
			go r.watch(ctx, res, interval)
		}
	}
	var awaited []*run      // by the manager
	var settled chan string // how they ended
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			manager.Reloading()
			runs := make([]*run, len(r.resources))
			for i, res := range r.resources {
				runs[i] = res.runner.join("SIGHUP")
			}
			if !slices.Equal(runs, awaited) { // else more signals for the same runs
				awaited, settled = runs, make(chan string, 1)
				go settle(ctx, runs, settled)
			}
		case status := <-settled:
			awaited = nil
			manager.Ready(status)
		}
	}
}

// settle waits for runs and says how they ended.
func settle(ctx context.Context, runs []*run, settled chan<- string) {
	var errs []error
	for _, run := range runs {
		select {
		case <-run.done:
			errs = append(errs, run.err)
		case <-ctx.Done():
			return
		}
	}
	if err := errors.Join(errs...); err != nil {
		settled <- "reload refused, serving what was served: " + oneLine(err)
		return
	}
	settled <- "reloaded"
}

// reload loads everything again. why goes to the log. The error is of the resources that stay as
// they were; the others are replaced.
func (r *reloader) reload(ctx context.Context, why string) error {
	errs := make([]error, len(r.resources))
	var wg sync.WaitGroup
	for i, res := range r.resources {
		wg.Go(func() { errs[i] = res.runner.do(ctx, why) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// load loads one resource, and counts and logs that.
func (r *reloader) load(ctx context.Context, res *resource, why string) error {
	start := time.Now()
	if err := res.loadSafely(ctx); err != nil {
		r.fail.Inc()
		attrs := []any{"why", why, "error", oneLine(err)}
		if faults := faultsOf(err); len(faults) > 1 {
			attrs = append(attrs, "faults", firstFaults(faults))
		}
		r.logger.Error("reload refused, serving what was served", attrs...)
		return err
	}
	if res.warn != nil {
		res.warn()
	}
	attrs := []any{"why", why}
	if res.describe != nil {
		attrs = append(attrs, res.describe()...)
	} else {
		attrs = append(attrs, "resource", res.files[0].name)
	}
	r.ok.Inc()
	r.logger.Info("reloaded", append(attrs,
		"took", time.Since(start).Round(time.Millisecond).String())...)
	return nil
}

// watch polls the files of a resource until ctx ends.
func (r *reloader) watch(ctx context.Context, res *resource, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		changed := false
		for _, w := range res.files {
			reload, news := w.poll(ctx)
			changed = changed || reload
			if news != nil {
				r.logger.Error("serving what was served", "resource", w.name, "error", news.Error())
			}
		}
		if changed {
			res.runner.do(ctx, "files changed")
		}
	}
}

// problems lists the resources that are older than their files, and why.
func (r *reloader) problems() (all []problem) {
	for _, res := range r.resources {
		for _, w := range res.files {
			if p, ok := w.problem(); ok {
				all = append(all, p)
			}
		}
	}
	return all
}

// ready reports whether a balancer should send requests here, and what is wrong. Files that cannot
// be loaded are wrong too, but the server stays ready with what it had.
func (s *Server) ready(details bool) (bool, []string) {
	if s.draining.Load() {
		return false, []string{"draining"}
	}
	_, mk := s.service.Current()
	if mk == nil {
		return false, []string{"loading"}
	}
	var reasons []string
	fresh := true
	if most := s.cfg.MaxPriceAge; most > 0 && mk.Age(time.Now()) > most {
		fresh = false
		reasons = append(reasons, fmt.Sprintf("prices: older than %d trading days", most))
	}
	for _, p := range s.reloader.problems() {
		reason := p.name + ": " + p.reason
		if details {
			reason += ": " + p.details
		}
		reasons = append(reasons, reason)
	}
	return fresh, reasons
}

// serveReload is POST /-/reload, without a body: 200, or 422 with the file and line at fault. After
// a 422 the server serves what it served before.
func (s *Server) serveReload(w http.ResponseWriter, r *http.Request) {
	// The context ends when the client leaves, but only once its body is read.
	if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxUnread)); err != nil {
		refuse(w, r, predict.Error{Status: http.StatusRequestEntityTooLarge,
			Detail: "Request body too large"})
		return
	}
	status, body := http.StatusOK, map[string]any{"status": "reloaded"}
	if err := s.reloader.reload(r.Context(), "POST /-/reload"); err != nil {
		status = http.StatusUnprocessableEntity
		body = map[string]any{"detail": "reload refused: " + oneLine(err)}
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
