// Package server is one running tickercast server. It puts the prediction endpoint behind
// authentication, limits, logs and metrics; it listens, reloads what changed, and drains at the
// end.
//
// New builds all that a process serves and Run serves it; the program and the tests make the same
// two calls. The package reads no flags and decides no exit status: package cli does.
package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"sync/atomic"

	"tickercast/docs"
	"tickercast/model"
	"tickercast/model/market"
	"tickercast/predict"
	"tickercast/predict/internal/cors"
	"tickercast/predict/internal/limits"
	"tickercast/predict/internal/logging"
	"tickercast/predict/internal/metrics"
	"tickercast/predict/internal/overload"
)

// Server answers forecasts over HTTP. Make it with New and call Run once.
type Server struct {
	cfg      Config
	plan     limits.Plan
	logger   *slog.Logger
	registry *metrics.Registry
	service  *predict.Service
	site     *docs.Site
	creds    credentials
	auth     *auth              // nil: everyone may ask as often as they like
	cors     *cors.Policy       // nil: no page of another origin may ask
	access   *logging.AccessLog // nil: off
	batches  *overload.Limiter
	measure  *httpMetrics
	reloader *reloader
	judge    judge
	public   *http.Server
	admin    *http.Server
	health   *http.Server // on the health socket
	conns    connTracker  // of public
	draining atomic.Bool
	warnings atomic.Pointer[[]market.Warning] // of the prices that are served; nil before
}

// New returns a Server that holds no data, no credentials and no port yet: Run brings them.
func New(cfg Config) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Server{
		cfg:      cfg,
		plan:     limits.NewPlan(cfg.MaxConns, cfg.CacheBytes, limits.Files(), cfg.MemoryLimit),
		logger:   cfg.Logger,
		registry: metrics.New(),
		site:     docs.New(docs.Config{NotFound: notFound, RootPath: cfg.RootPath}),
		access:   logging.NewAccessLog(cfg.AccessLog, cfg.AccessRate),
		batches:  overload.New(runtime.GOMAXPROCS(0)),
	}
	var err error
	if cfg.CORSOrigins != nil {
		if s.cors, err = cors.New(cfg.CORSOrigins); err != nil {
			return nil, err
		}
	}
	var made func(http.ResponseWriter, predict.Record)
	if s.access != nil {
		made = answered
	}
	s.service, err = predict.New(predict.Config{
		CacheEntries: cfg.CacheEntries,
		CacheBytes:   s.plan.CacheBytes,
		TTL:          cfg.CacheTTL,
		AnswerBytes:  s.plan.AnswerBytes,
		RedactInput:  cfg.RedactInput,
		ModelName:    cfg.ModelName,
		Version:      Version(),
		Metrics:      s.registry,
		Scores:       model.Scores,
		Slot:         s.slot,
		Overloaded:   s.batches.Full,
		Timeout:      cfg.BatchTimeout,
		Ready:        s.ready,
		Failed:       s.logFailure,
		LeftOut:      s.logLeftOut,
		Answered:     made,
	})
	if err != nil {
		return nil, err
	}
	if s.auth, err = newAuth(&s.cfg, &s.creds, s.registry); err != nil {
		return nil, err
	}
	s.reloader = newReloader(s.logger, s.registry, s.resources())
	s.measure = newHTTPMetrics(s.registry, s.routes())
	s.public = newPublicServer(&s.cfg, s.publicHandler(), &s.conns, &s.creds)
	s.admin = newAdminServer(s.logger, s.adminHandler())
	s.health = newAdminServer(s.logger, s.healthHandler())
	s.health.SetKeepAlivesEnabled(false)
	s.registerMetrics()
	return s, nil
}

// logLeftOut says why a client got a 404 for a ticker that is in the prices.
func (s *Server) logLeftOut(r market.Refusal) {
	s.logger.Warn("a client asked for a ticker that is left out", "ticker", r.Ticker,
		"reason", r.Reason)
}

// slot waits for a place among the costly calls, of which one has so many bytes.
func (s *Server) slot(ctx context.Context, size int) (release func(), err error) {
	release, err = s.batches.Acquire(ctx, size)
	if errors.Is(err, overload.ErrFull) {
		err = predict.ErrOverload()
	}
	return release, err
}
