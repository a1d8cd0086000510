package server

import (
	"net/http"
	"net/http/pprof"
)

// A route is one method on one path of the public port. GET answers HEAD too.
type route struct {
	method, path string
	handler      http.HandlerFunc
	kind
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
	probe := kind{open: true, probe: true}
	const version = "/v2/models/{name}/versions/{version}"
	routes := []route{
		{"POST", "/predict", s.service.ServePredict, keyed},
		{"POST", "/predict/batch", s.service.ServeBatch, keyed},
		{"GET", "/predict/{ticker}", s.service.ServeTicker, keyed},
		{"GET", "/tickers", s.service.ServeTickers, keyed},
		{"GET", "/tickers/{ticker}", s.service.ServeTickerCloses, keyed},
		{"GET", "/model", s.service.ServeModel, keyed},
		{"GET", "/v2", s.service.ServeServerMetadata, keyed},
		{"GET", "/v2/health/live", s.service.ServeServerLive, probe},
		{"GET", "/v2/health/ready", s.service.ServeServerReady, probe},
		{"GET", "/v2/models", s.service.ServeModels, keyed},
		{"POST", "/v2/repository/index", s.service.ServeIndex, keyed},
		{"GET", "/v2/models/{name}", s.service.ServeModelMetadata, keyed},
		{"GET", "/v2/models/{name}/ready", s.service.ServeModelReady, probe},
		{"POST", "/v2/models/{name}/infer", s.service.ServeModelInfer, keyed},
		{"GET", version, s.service.ServeModelMetadata, keyed},
		{"GET", version + "/ready", s.service.ServeModelReady, probe},
		{"POST", version + "/infer", s.service.ServeModelInfer, keyed},
		{"GET", "/health", s.service.ServeHealth, probe},
		{"GET", "/livez", s.service.ServeLive, probe},
		{"GET", "/readyz", s.service.ServeReady, probe},
	}
	if s.cfg.Docs != DocsOff {
		document := kind{open: s.cfg.Docs == DocsOpen}
		routes = append(routes, route{"GET", "/docs", s.site.Page, document},
			route{"GET", "/docs/{asset}", s.site.Asset, document},
			route{"GET", "/openapi.json", s.site.OpenAPI, document})
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
	return follow(noSniff(s.fieldsOr(http.HandlerFunc(refuseFields), handler)))
}
