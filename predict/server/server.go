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
	"sync"
	"sync/atomic"
	"time"

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
	ids      idPool
	began    time.Time // times of requests count from it
	records  sync.Pool // of *statusRecorder
	follows  sync.Pool // of *followed
	reloader *reloader
	judge    judge
	public   *http.Server
	http2    *http2Service // of public
	admin    *http.Server
	health   *http.Server // on the health socket
	conns    connTracker  // of public
	operator connTracker  // of admin
	probes   connTracker  // of health
	limiter  *limits.Limiter
	draining atomic.Bool
	warnings atomic.Pointer[[]market.Warning] // of the prices that are served; nil before
}

// New returns a Server that holds no data, no credentials and no port yet: Run brings them.
func New(cfg Config) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	conns, err := planConns(&cfg)
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg:      cfg,
		began:    time.Now(),
		plan:     limits.NewPlan(cfg.wanted(conns)),
		logger:   cfg.Logger,
		registry: metrics.New(),
		site: docs.New(docs.Config{NotFound: notFound, RootPath: cfg.RootPath,
			MaxItems: cfg.MaxBatchItems, Keys: cfg.KeysFile != ""}),
		access:  logging.NewAccessLog(cfg.AccessLog, cfg.AccessRate),
		batches: overload.New(runtime.GOMAXPROCS(0)),
	}
	s.limiter = limits.NewLimiter(s.plan.HeldBytes)
	s.conns.limiter, s.conns.proxies = s.limiter, cfg.TrustedProxies
	s.conns.h2c, s.conns.cores = cfg.H2C, newCoreQueue()
	if cfg.CORSOrigins != nil {
		if s.cors, err = cors.New(cfg.CORSOrigins); err != nil {
			return nil, err
		}
	}
	var charge func(http.ResponseWriter, int) error
	if cfg.RateLimit.Requests > 0 {
		charge = s.charge
	}
	var made func(http.ResponseWriter, predict.Record)
	if s.access != nil {
		made = answered
	}
	s.service, err = predict.New(predict.Config{
		MaxBody:      cfg.MaxBody,
		MaxItems:     cfg.MaxBatchItems,
		Charge:       charge,
		CacheEntries: cfg.CacheEntries,
		CacheBytes:   s.plan.CacheBytes,
		TTL:          cfg.CacheTTL,
		MaxBatchBody: s.plan.BodyBytes(cfg.MaxBatchBody),
		Hold:         hold,
		Memory:       s.limiter,
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
	if s.auth, err = newAuth(&s.cfg, &s.creds, s.registry, s.plan.Clients); err != nil {
		return nil, err
	}
	s.reloader = newReloader(s.logger, s.registry, s.resources())
	s.measure = newHTTPMetrics(s.registry, s.routes())
	// A connection can make net/http begin as many streams before their handlers can refuse one.
	streams := int(min(maxStreams, max(s.plan.HeldBytes/(8*streamBytes), 1)))
	s.http2 = newHTTP2Service(&s.cfg, &s.conns, streams)
	s.public = newPublicServer(&s.cfg, s.publicHandler(), &s.conns, &s.creds, s.http2)
	s.admin = newAdminServer(&s.cfg, s.adminHandler(), &s.operator)
	s.health = newAdminServer(&s.cfg, s.healthHandler(), &s.probes)
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
