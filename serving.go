package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
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
	gate        *admission.Gate  // in front of every forecast that is computed
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
	if s.gate, err = admission.New(admission.Config{Waiting: waitingPerCore * runtime.GOMAXPROCS(0)}); err != nil {
		return nil, err
	}
	service, err := predict.New(predict.Config{
		Model:        w.model,
		Market:       w.market,
		CacheEntries: f.cacheEntries,
		CacheBytes:   f.cacheBytes,
		TTL:          f.ttl,
		AnswerBytes:  f.answerBytes,
		RedactInput:  f.redactInput,
		Version:      buildVersion(),
		Metrics:      s.registry,
		Scores:       scoresOf,
		Admit:        s.admit,
		Costly:       s.admitCostly,
		Full:         func() bool { return s.brake != nil && s.brake.Full() },
		Timeout:      f.timeout,
		Ready:        s.ready,
		Failed:       s.failed,
	})
	if err != nil {
		return nil, err
	}
	s.service = service
	s.reloader = newReloader(logger, s.registry,
		append([]*part{s.worldPart(f.source, w.files)}, files...)...)
	s.panics = s.registry.Counter("panics_total", "Requests that ended in a panic of a handler.")
	s.register()
	return s, nil
}

// waitingPerCore bounds the queue in front of forecasting by number; what bounds it as a rule is
// time. At 10 us a forecast a full queue is 2.5 ms of work. With the customary four a core, 512
// clients that always missed saw some refused whenever the system took a core away for a moment,
// and nothing was gained: the work is too short to pile up.
const waitingPerCore = 256

// admit lets a forecast be computed, or refuses it under overload.
func (s *serving) admit(ctx context.Context) (release func(), err error) {
	if err := s.gate.Enter(ctx); err != nil {
		if errors.Is(err, admission.ErrOverload) {
			return nil, predict.ErrOverload()
		}
		return nil, err
	}
	return s.gate.Leave, nil
}

// costlyPerCore is how many costly calls a core has under way whatever else there is to do: one
// that runs, and one that is there when it ends.
const costlyPerCore = 2

// costlyPatience is how long costly calls wait for each other where there are more than can be
// done: a fifth of the 100 ms within which an answer should be there.
const costlyPatience = 20 * time.Millisecond

// admitCostly is admit for calls that ask for much.
func (s *serving) admitCostly() (release func(), err error) {
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
	s.logFault("panic", r, err)
}

func (s *serving) failed(r *http.Request, err error) { s.logFault("answered 500", r, err) }

// logFault says what went wrong here, and with which request.
func (s *serving) logFault(what string, r *http.Request, err error) {
	s.logger.Error(what, "id", r.Header.Get(requestID), "method", r.Method, "pattern", r.Pattern,
		"error", err.Error())
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
	gate := s.gate.Stats
	s.registry.CounterFunc("http_requests_rejected_total", rejectedHelp, func() float64 {
		n := gate().Refused
		if s.brake != nil {
			n += s.brake.Refused()
		}
		return float64(n)
	}, metrics.Label{Name: "reason", Value: "overload"})
	s.registry.CounterFunc("http_requests_rejected_total", rejectedHelp,
		func() float64 { return float64(s.service.AnswersRefused()) },
		metrics.Label{Name: "reason", Value: "memory"})
	s.registry.CounterFunc("predict_queued_total",
		"Forecasts that waited for others to be computed.",
		func() float64 { return float64(gate().Waited) })
	s.registry.GaugeFunc("predict_running", "Forecasts being computed.",
		func() float64 { return float64(gate().Running) })
	s.registry.GaugeFunc("predict_waiting", "Forecasts waiting for others to be computed.",
		func() float64 { return float64(gate().Waiting) })
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
