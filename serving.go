package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"tickercast/docs"
	"tickercast/model/calendar"
	"tickercast/predict"
	"tickercast/predict/accesslog"
	"tickercast/predict/admission"
	"tickercast/predict/cors"
	"tickercast/predict/metrics"
)

// serving is what one running server consists of.
type serving struct {
	logger      *slog.Logger
	service     *predict.Service
	site        *docs.Site
	registry    *metrics.Registry
	instruments *instruments // set by handler
	reloader    *reloader
	guard       *guard
	brake       *admission.Brake // in front of costly calls; nil: none
	cors        *cors.Policy     // nil: pages of other origins are told nothing
	access      *accesslog.Log   // nil: off
	panics      *metrics.Counter
	draining    atomic.Bool
	conns       connections // of the public address that net/http serves
}

func (f *serveFlags) newServing(w world, logger *slog.Logger) (*serving, error) {
	creds, files, err := f.credentials()
	if err != nil {
		return nil, err
	}
	s := &serving{
		logger:   logger,
		site:     docs.New(docs.Config{NotFound: predict.NotFound}),
		registry: metrics.New(),
	}
	if s.guard, err = f.newGuard(creds, s.registry); err != nil {
		return nil, err
	}
	if f.corsOrigins != nil {
		if s.cors, err = cors.New(f.corsOrigins); err != nil {
			return nil, usagef("-cors-origins: %v", err)
		}
	}
	service, err := predict.New(predict.Config{
		CacheEntries: f.cacheEntries,
		CacheBytes:   f.cacheBytes,
		TTL:          f.ttl,
		AnswerBytes:  f.answerBytes,
		RedactInput:  f.redactInput,
		Version:      buildVersion(),
		Metrics:      s.registry,
		Scores:       scoresOf,
		Slot:         s.admitCostly,
		Overloaded:   func() bool { return s.brake != nil && s.brake.Full() },
		Timeout:      f.timeout,
		Ready:        s.ready,
		Failed:       s.failed,
	})
	if err != nil {
		return nil, err
	}
	s.service = service
	if err := service.Swap(w.model, w.market); err != nil {
		return nil, err
	}
	s.reloader = newReloader(logger, s.registry,
		append([]*part{s.worldPart(f.source, w.files)}, files...)...)
	s.panics = s.registry.Counter("panics_total", "Requests that ended in a panic of a handler.")
	s.register()
	return s, nil
}

// costlyPerCore is how many costly calls a core has under way whatever else there is to do: one
// that runs, and one that is there when it ends.
const costlyPerCore = 2

// costlyPatience is how long costly calls wait for each other where there are more than can be
// done: a fifth of the 100 ms within which an answer should be there.
const costlyPatience = 20 * time.Millisecond

// admitCostly lets a costly call be answered, or refuses it under overload.
func (s *serving) admitCostly(context.Context) (release func(), err error) {
	if s.brake == nil {
		return func() {}, nil
	}
	if !s.brake.Enter() {
		return nil, predict.ErrOverload()
	}
	return s.brake.Leave, nil
}

// worldPart is what is forecast from, read when its files were as seen.
func (s *serving) worldPart(src source, seen stamp) *part {
	return &part{
		paths: src.paths(),
		seen:  seen,
		load: func() error {
			w, err := src.load(0)
			if err != nil {
				return err
			}
			if err := s.service.Swap(w.model, w.market); err != nil {
				return err
			}
			w.warn(s.logger)
			return nil
		},
		what: func() []any {
			m, mk := s.service.Current()
			return []any{"model", m.Version(), "as_of", mk.AsOf().String(), "tickers",
				len(mk.Tickers())}
		},
	}
}

// ready says whether a balancer should send requests here, and why not, or what is wrong although
// it should.
func (s *serving) ready() (bool, []string) {
	if s.draining.Load() {
		return false, []string{"draining"}
	}
	if failure := s.reloader.lastFailure(); failure != "" {
		return true, []string{"the last reload was refused: " + failure}
	}
	return true, nil
}

func (s *serving) panicked(r *http.Request, err error) {
	s.panics.Inc()
	s.logFault("panic", predict.Failure{ID: r.Header.Get(requestID), Method: r.Method,
		Pattern: r.Pattern, Err: err})
}

func (s *serving) failed(f predict.Failure) { s.logFault("answered 500", f) }

// logFault says what went wrong here, and with which request.
func (s *serving) logFault(what string, f predict.Failure) {
	s.logger.Error(what, "id", f.ID, "method", f.Method, "pattern", f.Pattern,
		"error", f.Err.Error())
}

// register adds what is asked for only when somebody looks.
func (s *serving) register() {
	metrics.AddBuild(s.registry, buildVersion())
	metrics.AddGo(s.registry)
	metrics.AddProcess(s.registry)
	cache := s.service.CacheStats
	for _, c := range []struct {
		name, help string
		value      func() uint64
	}{
		{"predict_cache_misses_total", "Answers that had to be computed.",
			func() uint64 { return cache().Loads }},
		{"predict_cache_coalesced_total", "Look-ups that waited for another's computation.",
			func() uint64 { return cache().Joins }},
		{"predict_cache_evictions_total", "Answers removed to make room.",
			func() uint64 { return cache().Evictions }},
		{"predict_cache_expired_total", "Answers removed because of their age.",
			func() uint64 { return cache().Expirations }},
	} {
		s.registry.CounterFunc(c.name, c.help, func() float64 { return float64(c.value()) })
	}
	s.registry.CounterFunc("http_requests_rejected_total", rejectedHelp, func() float64 {
		if s.brake == nil {
			return 0
		}
		return float64(s.brake.Refused())
	}, metrics.Label{Name: "reason", Value: "overload"})
	s.registry.CounterFunc("http_requests_rejected_total", rejectedHelp,
		func() float64 { return float64(s.service.AnswersRefused()) },
		metrics.Label{Name: "reason", Value: "memory"})
	s.registry.GaugeFunc("predict_cache_entries", "Answers kept.",
		func() float64 { return float64(cache().Entries) })
	s.registry.GaugeFunc("predict_cache_bytes", "Bytes of answers kept.",
		func() float64 { return float64(cache().Bytes) })
	if c := s.guard.cert; c != nil {
		s.registry.GaugeFunc("tls_certificate_expiry_timestamp_seconds",
			"When the certificate that is shown expires.",
			func() float64 { return float64(c.Expires().Unix()) })
	}
	s.registry.GaugeFunc("market_age_days", "Trading days since the last close that is served.",
		func() float64 {
			_, mk := s.service.Current()
			return float64(calendar.Between(mk.AsOf(), calendar.FromTime(time.Now().UTC())))
		})
	s.registry.InfoFunc("model_info", "The model that is served, and the last close.",
		func() []metrics.Label {
			m, mk := s.service.Current()
			return []metrics.Label{{Name: "version", Value: m.Version()},
				{Name: "as_of", Value: mk.AsOf().String()}}
		})
}
