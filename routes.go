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
}

// routes is everything that the public port answers; GET answers HEAD too.
func (s *serving) routes() []route {
	return []route{
		{"POST", "/predict", s.service.ServePredict},
		{"POST", "/predict/batch", s.service.ServeBatch},
		{"GET", "/predict/{ticker}", s.service.ServeTicker},
		{"GET", "/tickers", s.service.ServeTickers},
		{"GET", "/tickers/{ticker}", s.service.ServeTickerCloses},
		{"GET", "/model", s.service.ServeModel},
		{"GET", "/health", s.service.ServeHealth},
		{"GET", "/livez", s.service.ServeLive},
		{"GET", "/readyz", s.service.ServeReady},
		{"GET", "/docs", s.site.Page},
		{"GET", "/docs/{asset}", s.site.Asset},
		{"GET", "/openapi.json", s.site.OpenAPI},
	}
}

// handler puts the routes behind what all requests have in common.
func (s *serving) handler() http.Handler {
	routes := s.routes()
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.HandleFunc(r.pattern(), r.handler)
	}
	s.instruments = newInstruments(s.registry, routes)
	front := predict.Recover(predict.Front(mux), s.panicked)
	strict := fastlane.Strict(front, http.HandlerFunc(predict.BadRequest))
	return s.closeWhileDraining(s.instruments.wrap(strict))
}

// closeWhileDraining asks clients to take their next request elsewhere.
func (s *serving) closeWhileDraining(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
