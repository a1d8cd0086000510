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
	kind

	// plain answers requests in the fast lane; none leaves them to net/http.
	plain predict.PlainRoute
}

// A kind of route is how it is treated.
type kind struct {
	open  bool // needs no key and has no rate
	probe bool // is asked by machines, again and again
}

// pattern is the route's name in the mux.
func (r route) pattern() string { return r.method + " " + r.path }

func (s *Server) routes() []route {
	var keyed kind
	var none predict.PlainRoute
	probe := kind{open: true, probe: true}
	const version = "/v2/models/{name}/versions/{version}"
	routes := []route{
		{"POST", "/predict", s.service.ServePredict, keyed, s.service.PlainPredict()},
		{"POST", "/predict/batch", s.service.ServeBatch, keyed, s.service.PlainBatch()},
		{"GET", "/predict/{ticker}", s.service.ServeTicker, keyed, s.service.PlainTicker()},
		{"GET", "/tickers", s.service.ServeTickers, keyed, none},
		{"GET", "/tickers/{ticker}", s.service.ServeTickerCloses, keyed, none},
		{"GET", "/model", s.service.ServeModel, keyed, none},
		{"GET", "/v2", s.service.ServeServerMetadata, keyed, none},
		{"GET", "/v2/health/live", s.service.ServeServerLive, probe, none},
		{"GET", "/v2/health/ready", s.service.ServeServerReady, probe, none},
		{"GET", "/v2/models", s.service.ServeModels, keyed, none},
		{"POST", "/v2/repository/index", s.service.ServeIndex, keyed, none},
		{"GET", "/v2/models/{name}", s.service.ServeModelMetadata, keyed, none},
		{"GET", "/v2/models/{name}/ready", s.service.ServeModelReady, probe, none},
		{"POST", "/v2/models/{name}/infer", s.service.ServeModelInfer, keyed, s.service.PlainInfer()},
		{"GET", version, s.service.ServeModelMetadata, keyed, none},
		{"GET", version + "/ready", s.service.ServeModelReady, probe, none},
		{"POST", version + "/infer", s.service.ServeModelInfer, keyed, none},
		{"GET", "/health", s.service.ServeHealth, probe, s.service.PlainHealth()},
		{"GET", "/livez", s.service.ServeLive, probe, none},
		{"GET", "/readyz", s.service.ServeReady, probe, none},
	}
	if s.cfg.Docs != DocsOff {
		document := kind{open: s.cfg.Docs == DocsOpen}
		routes = append(routes, route{"GET", "/docs", s.site.Page, document, none},
			route{"GET", "/docs/{asset}", s.site.Asset, document, none},
			route{"GET", "/openapi.json", s.site.OpenAPI, document, none})
	}
	return routes
}

// publicHandler is the public port: the routes behind the middleware.
func (s *Server) publicHandler() http.Handler {
	mux := http.NewServeMux()
	routes := s.routes()
	for _, r := range routes {
		h := r.handler
		if !r.open {
			h = s.require(h)
		}
		if s.variesByKey(r) {
			h = varyByKey(h)
		}
		mux.HandleFunc(r.pattern(), h)
	}
	return s.middleware(newRouter(mux, routes, s.cfg.RootPath))
}

// adminHandler is the admin port. Probes need no token there either: a kubelet has none.
func (s *Server) adminHandler() http.Handler {
	guarded := http.NewServeMux()
	guarded.HandleFunc("GET /metrics", s.serveMetrics)
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
	var handler http.Handler = mux
	if s.cfg.AdminTokenFile == "" {
		handler = refusePages(mux)
	}
	return s.follow(noSniff(s.fieldsOr(http.HandlerFunc(refuseFields), handler)))
}
