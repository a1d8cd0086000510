package main

import (
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"tickercast/predict/accesslog"
	"tickercast/predict/metrics"
)

// instruments measure what goes through net/http, by the route that answered.
type instruments struct {
	registry *metrics.Registry
	inFlight *metrics.Gauge
	byRoute  map[string]*meter // by pattern of the mux, made before the first request
	unrouted *meter
	access   *accesslog.Log // nil: off
	draining *atomic.Bool   // answers ask clients to take their next request elsewhere
}

func newInstruments(reg *metrics.Registry, access *accesslog.Log, draining *atomic.Bool,
	routes []route) *instruments {
	in := &instruments{
		access:   access,
		draining: draining,
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
		duration: in.registry.Histogram("http_request_duration_seconds",
			"Time from a request's headers to the end of its answer.", labels...),
		counter: func(status int) *metrics.Counter {
			code := metrics.Label{Name: "code", Value: strconv.Itoa(status)}
			return in.registry.Counter("http_requests_total", "Requests answered.",
				append(labels[:2:2], code)...)
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

// wrap measures and logs every request to next, which must be the handler that the mux is in, and
// gives each its id.
func (in *instruments) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		in.inFlight.Add(1)
		id := identify(w, r)
		rec := statusRecorder{ResponseWriter: w, draining: in.draining}
		defer func() {
			in.inFlight.Add(-1)
			m, ok := in.byRoute[r.Pattern] // the mux has set it by now
			if !ok {
				m = in.unrouted
			}
			took := time.Since(start)
			m.observe(rec.code(), took)
			if in.access.Wants(rec.code()) {
				in.access.Write(&accesslog.Entry{
					ID: id, Trace: traceOf(r), Client: rec.client, Remote: r.RemoteAddr,
					Method: r.Method, Path: r.URL.Path,
					Proto: r.Proto, Status: rec.code(), Duration: took, Bytes: rec.bytes,
				})
			}
		}()
		next.ServeHTTP(&rec, r)
	})
}

const requestID = "X-Request-Id"

// identify gives a request its id, its own if that can be taken over. The answer and the request's
// header carry it from here on.
func identify(w http.ResponseWriter, r *http.Request) string {
	values := r.Header[requestID]
	if len(values) != 1 || !accesslog.ValidID(values[0]) {
		values = []string{string(accesslog.AppendID(nil))}
		r.Header[requestID] = values
	}
	w.Header()[requestID] = values
	return values[0]
}

// traceOf is the trace that a request says it is part of, or "".
func traceOf(r *http.Request) string {
	if t := r.Header["Traceparent"]; len(t) == 1 && accesslog.ValidTrace(t[0]) {
		return t[0]
	}
	return ""
}

// A statusRecorder remembers what was written, and for whom.
type statusRecorder struct {
	http.ResponseWriter
	status int
	bytes  int64  // of the body
	client string // the name of its key

	draining *atomic.Bool
}

func (r *statusRecorder) WriteHeader(status int) {
	r.begin(status)
	r.ResponseWriter.WriteHeader(status)
}

// begin is the last moment to ask for the end of the connection: the request may have taken longer
// to come than a drain.
func (r *statusRecorder) begin(status int) {
	if r.status != 0 || status < 200 { // 1xx come before the answer
		return
	}
	r.status = status
	if r.draining.Load() {
		r.Header().Set("Connection", "close")
	}
}

func (r *statusRecorder) Write(b []byte) (int, error) {
	r.begin(http.StatusOK)
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
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
