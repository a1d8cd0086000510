package server

import (
	"net/http"
	"net/http/pprof"

	"tickercast/predict"
)

// A route is one method on one path of the public port. GET answers HEAD too.
type route struct {
	method, path string
	handler      http.HandlerFunc
	open         bool // needs no key and has no rate: probes and documentation

	// plain answers requests in the fast lane; none leaves them to net/http.
	plain predict.PlainRoute
}

// pattern is the route's name in the mux.
func (r route) pattern() string { return r.method + " " + r.path }

func (s *Server) routes() []route {
	var none predict.PlainRoute
	return []route{
		{"POST", "/predict", s.service.ServePredict, false, s.service.PlainPredict()},
		{"POST", "/predict/batch", s.service.ServeBatch, false, s.service.PlainBatch()},
		{"GET", "/predict/{ticker}", s.service.ServeTicker, false, s.service.PlainTicker()},
		{"GET", "/tickers", s.service.ServeTickers, false, none},
		{"GET", "/tickers/{ticker}", s.service.ServeTickerCloses, false, none},
		{"GET", "/model", s.service.ServeModel, false, none},
		{"GET", "/v2", s.service.ServeServerMetadata, false, none},
		{"GET", "/v2/health/live", s.service.ServeServerLive, true, none},
		{"GET", "/v2/health/ready", s.service.ServeServerReady, true, none},
		{"GET", "/v2/models/{name}", s.service.ServeModelMetadata, false, none},
		{"GET", "/v2/models/{name}/ready", s.service.ServeModelReady, true, none},
		{"POST", "/v2/models/{name}/infer", s.service.ServeModelInfer, false, none},
		{"GET", "/health", s.service.ServeHealth, true, s.service.PlainHealth()},
		{"GET", "/livez", s.service.ServeLive, true, none},
		{"GET", "/readyz", s.service.ServeReady, true, none},
		{"GET", "/docs", s.site.Page, true, none},
		{"GET", "/docs/{asset}", s.site.Asset, true, none},
		{"GET", "/openapi.json", s.site.OpenAPI, true, none},
	}
}

// publicHandler is the public port: the routes behind the middleware.
func (s *Server) publicHandler() http.Handler {
	mux := http.NewServeMux()
	routes := s.routes()
	for _, r := range routes {
		h := r.handler
		if !r.open {
			h = s.auth.require(h)
		}
		mux.HandleFunc(r.pattern(), h)
	}
	return s.middleware(newRouter(mux, routes))
}

// adminHandler is the admin port. Probes need no token there either: a kubelet has none.
func (s *Server) adminHandler() http.Handler {
	guarded := http.NewServeMux()
	guarded.Handle("GET /metrics", s.registry)
	guarded.HandleFunc("POST /-/reload", s.serveReload)
	guarded.HandleFunc("GET /debug/pprof/", pprof.Index)
	guarded.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	guarded.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	guarded.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	guarded.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux := http.NewServeMux()
	mux.Handle("/", s.requireAdminToken(guarded))
	mux.HandleFunc("GET /health", s.service.ServeHealth)
	mux.HandleFunc("GET /livez", s.service.ServeLive)
	mux.HandleFunc("GET /readyz", s.serveReadyAdmin)
	if s.cfg.AdminTokenFile == "" {
		return noSniff(refusePages(mux))
	}
	return noSniff(mux)
}
