package server

import (
	"net/http"
	"net/http/pprof"
)

// A route is one method on one path of the public port. GET answers HEAD too.
type route struct {
	method, path string
	handler      http.HandlerFunc
	open         bool // needs no key and has no rate: probes and documentation
}

// pattern is the route's name in the mux.
func (r route) pattern() string { return r.method + " " + r.path }

func (s *Server) routes() []route {
	return []route{
		{"POST", "/predict", s.service.ServePredict, false},
		{"POST", "/predict/batch", s.service.ServeBatch, false},
		{"GET", "/predict/{ticker}", s.service.ServeTicker, false},
		{"GET", "/tickers", s.service.ServeTickers, false},
		{"GET", "/tickers/{ticker}", s.service.ServeTickerCloses, false},
		{"GET", "/model", s.service.ServeModel, false},
		{"GET", "/v2", s.service.ServeServerMetadata, false},
		{"GET", "/v2/health/live", s.service.ServeServerLive, true},
		{"GET", "/v2/health/ready", s.service.ServeServerReady, true},
		{"GET", "/v2/models/{name}", s.service.ServeModelMetadata, false},
		{"GET", "/v2/models/{name}/ready", s.service.ServeModelReady, true},
		{"POST", "/v2/models/{name}/infer", s.service.ServeModelInfer, false},
		{"GET", "/health", s.service.ServeHealth, true},
		{"GET", "/livez", s.service.ServeLive, true},
		{"GET", "/readyz", s.service.ServeReady, true},
		{"GET", "/docs", s.site.Page, true},
		{"GET", "/docs/{asset}", s.site.Asset, true},
		{"GET", "/openapi.json", s.site.OpenAPI, true},
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
	var handler http.Handler = mux
	if s.cfg.AdminTokenFile == "" {
		handler = refusePages(mux)
	}
	return follow(noSniff(s.fieldsOr(http.HandlerFunc(refuseFields), handler)))
}
