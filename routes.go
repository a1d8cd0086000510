package main

import (
	"net/http"

	"tickercast/predict"
	"tickercast/predict/fastlane"
)

// A route is one method on one path of the public port.
type route struct {
	method, path string
	handler      http.HandlerFunc
	open         bool // to everybody, at any rate: probes and what tells how to ask
}

// routes is everything that the public port answers; GET answers HEAD too.
func (s *serving) routes() []route {
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

// handler puts the routes behind what all requests have in common.
func (s *serving) handler() http.Handler {
	routes := s.routes()
	mux := http.NewServeMux()
	for _, r := range routes {
		h := r.handler
		if !r.open {
			h = s.guard.wrap(h)
		}
		mux.HandleFunc(r.pattern(), h)
	}
	s.instruments = newInstruments(s.registry, s.access, &s.draining, routes)
	h := predict.Recover(predict.Front(mux), s.panicked)
	if s.cors != nil {
		h = s.cors.Wrap(h, http.HandlerFunc(forbiddenOrigin))
	}
	h = fastlane.Strict(predict.LimitTarget(h), http.HandlerFunc(predict.BadRequest))
	return s.instruments.wrap(h)
}

// forbiddenOrigin answers a preflight as Starlette's middleware does.
func forbiddenOrigin(w http.ResponseWriter, r *http.Request) {
	predict.Refuse(w, r.ContentLength, http.StatusBadRequest, "Disallowed CORS origin")
}
