package main

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"tickercast/predict/metrics"
)

// instruments measure what goes through net/http, by the route that answered.
type instruments struct {
	registry *metrics.Registry
	inFlight *metrics.Gauge
	byRoute  map[string]*meter // by pattern of the mux, made before the first request
	unrouted *meter
}

func newInstruments(reg *metrics.Registry, routes []route) *instruments {
	in := &instruments{
		registry: reg,
		inFlight: reg.Gauge("http_requests_in_flight", "Requests being answered."),
		byRoute:  map[string]*meter{},
	}
	for _, r := range routes {
		in.byRoute[r.pattern()] = in.meter(r.method, r.path)
	}
	in.unrouted = in.meter("other", "none")
	return in
}

// A meter holds the series of one route.
type meter struct {
	byStatus sync.Map // int to *metrics.Counter, made at first use
	duration *metrics.Histogram
	counter  func(status int) *metrics.Counter
}

func (in *instruments) meter(method, route string) *meter {
	labels := []metrics.Label{{Name: "method", Value: method}, {Name: "route", Value: route}}
	return &meter{
		duration: in.registry.Histogram("http_request_duration_seconds", "Time from a request's headers to the end of its answer.", labels...),
		counter: func(status int) *metrics.Counter {
			code := metrics.Label{Name: "code", Value: strconv.Itoa(status)}
			return in.registry.Counter("http_requests_total", "Requests answered.", append(labels[:2:2], code)...)
		},
	}
}

// observe counts one answer.
func (m *meter) observe(status int, took time.Duration) {
	c, ok := m.byStatus.Load(status)
	if !ok {
		c = m.counter(status) // the registry gives racing requests the same series
		m.byStatus.Store(status, c)
	}
	c.(*metrics.Counter).Inc()
	m.duration.Observe(took)
}

// wrap measures every request to next, which must be the handler that the mux is in.
func (in *instruments) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		in.inFlight.Add(1)
		rec := statusRecorder{ResponseWriter: w}
		defer func() {
			in.inFlight.Add(-1)
			m, ok := in.byRoute[r.Pattern] // the mux has set it by now
			if !ok {
				m = in.unrouted
			}
			m.observe(rec.code(), time.Since(start))
		}()
		next.ServeHTTP(&rec, r)
	})
}

// A statusRecorder remembers the status that was written.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 { // 1xx come before the answer
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *statusRecorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController and MaxBytesReader reach the real one.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *statusRecorder) code() int {
	if r.status == 0 {
		return http.StatusOK // net/http writes it for a handler that wrote nothing
	}
	return r.status
}

// pattern is what the route is to the mux.
func (r route) pattern() string { return r.method + " " + r.path }
