package server

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"tickercast/predict"
	"tickercast/predict/internal/limits"
	"tickercast/predict/internal/logging"
	"tickercast/predict/internal/metrics"
	"tickercast/predict/internal/ratelimit"
)

// observe gives a request its id, measures it, logs it, and while the server drains asks for the
// end of its connection.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		growStack(false)
		start := time.Since(s.began) // reads only the monotonic clock
		path := r.URL.Path           // the router may shorten it
		s.measure.inFlight.Add(1)
		w.Header()["X-Content-Type-Options"] = nosniff
		id := s.identify(w, r)
		rec := s.recorder(w, r)
		defer func() {
			free := rec.closeHold()
			s.measure.inFlight.Add(-1)
			took := time.Since(s.began) - start
			route := s.measure.of(r.Pattern) // the mux has set it by now
			route.observe(rec.code(), took)
			if s.logs(route) && s.access.Wants(rec.code()) {
				e := &logging.Entry{
					ID: id, Trace: traceOf(r), Key: rec.key, Remote: r.RemoteAddr,
					Method: r.Method, Path: path, Proto: r.Proto,
					Status: rec.code(), Duration: took, Bytes: rec.bytes,
				}
				if s.cfg.TrustedProxies != nil {
					e.Client = addrText(s.clientAddr(r))
				}
				if rec.forecast && rec.code() < 400 {
					e.Attrs = recordAttrs(&rec.made)
				}
				s.access.Write(e)
			}
			if free {
				s.reuse(rec)
			}
		}()
		if s.openHold(rec) {
			next.ServeHTTP(rec, r)
		}
		rec.finish()
	})
}

// recorder returns a recorder of what is written to w.
func (s *Server) recorder(w http.ResponseWriter, r *http.Request) *statusRecorder {
	rec, ok := s.records.Get().(*statusRecorder)
	if !ok {
		rec = new(statusRecorder)
	}
	rec.ResponseWriter, rec.request = w, r
	rec.draining, rec.proxies = &s.draining, s.cfg.TrustedProxies
	rec.tooOld = s.cfg.MaxConnAge > 0 && isTooOld(r)
	return rec
}

// reuse gives the recorder of an answered request to another.
func (s *Server) reuse(rec *statusRecorder) {
	*rec = statusRecorder{kept: rec.kept[:0]}
	s.records.Put(rec)
}

// traceOf returns the trace that a request says it is part of, or "".
func traceOf(r *http.Request) string {
	if t := r.Header["Traceparent"]; len(t) == 1 && validTrace(t[0]) {
		return t[0]
	}
	return ""
}

// A statusRecorder remembers what was written, and for whom.
type statusRecorder struct {
	http.ResponseWriter
	request  *http.Request
	status   int
	bytes    int64  // of the body
	key      string // its name
	pays     client // whose rate it is taken from
	forecast bool   // made says what the answer is made from
	made     predict.Record
	draining *atomic.Bool
	tooOld   bool // the connection should end

	hold limits.Hold // what the request makes the server hold

	// of HTTP/2
	conn          *trackedConn // nil without it
	free, refused bool         // the stream is the free one, or is being refused
	kept          []byte       // of the answer
	sent          bool         // the head is
	ending        sync.Mutex
	ended         bool // the handler has; guarded by ending
	proxies       ratelimit.Proxies
}

func (r *statusRecorder) WriteHeader(status int) {
	r.begin(status)
	if r.conn == nil || status < 200 {
		r.ResponseWriter.WriteHeader(status)
	}
}

// begin is the last moment to ask for the end of the connection: the request may have begun before
// the drain.
func (r *statusRecorder) begin(status int) {
	if r.status != 0 || status < 200 { // 1xx come before the answer
		return
	}
	r.status = status
	if r.tooOld || r.draining.Load() {
		r.Header().Set("Connection", "close")
	}
}

// maxWrite is how much of an answer is written at a time, so that it is seen whether a client
// reads.
const maxWrite = 64 << 10

func (r *statusRecorder) Write(b []byte) (n int, err error) {
	r.begin(http.StatusOK)
	if r.conn != nil && r.keep(b) {
		return len(b), nil
	}
	for {
		var m int
		m, err = r.ResponseWriter.Write(b[n:min(n+maxWrite, len(b))])
		if n += m; err != nil || n >= len(b) {
			break
		}
		r.hold.Progress()
	}
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the real one.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *statusRecorder) code() int {
	if r.status == 0 {
		return http.StatusOK // net/http writes it for a handler that wrote nothing
	}
	return r.status
}

// answered remembers what an answer is made from, for the access log.
func answered(w http.ResponseWriter, made predict.Record) {
	if rec, ok := w.(*statusRecorder); ok {
		rec.made, rec.forecast = made, true
	}
}

// httpMetrics measure requests by the route that answered them.
type httpMetrics struct {
	registry *metrics.Registry
	inFlight *metrics.Gauge
	panics   *metrics.Counter
	byRoute  map[string]*routeMetrics // by pattern of the mux; complete before the first request
	noRoute  *routeMetrics
}

func newHTTPMetrics(reg *metrics.Registry, routes []route) *httpMetrics {
	m := &httpMetrics{
		registry: reg,
		inFlight: reg.Gauge("http_requests_in_flight", "Requests being answered."),
		panics:   reg.Counter("panics_total", "Requests that ended in a panic of a handler."),
		byRoute:  map[string]*routeMetrics{},
	}
	for _, r := range routes {
		m.byRoute[r.pattern()] = m.newRoute(r.method, r.path)
		m.byRoute[r.pattern()].probe = r.probe
	}
	m.noRoute = m.newRoute("other", "none")
	return m
}

// of returns the metrics of the route with a pattern.
func (m *httpMetrics) of(pattern string) *routeMetrics {
	if r, ok := m.byRoute[pattern]; ok {
		return r
	}
	return m.noRoute
}

// routeMetrics hold the series of one route.
type routeMetrics struct {
	probe    bool
	byStatus atomic.Pointer[[]statusCounter] // made at first use; each list is never changed
	growing  sync.Mutex                      // held while a longer list takes its place
	duration *metrics.Histogram
	counter  func(status int) *metrics.Counter
}

// statusCounter counts the answers of one status.
type statusCounter struct {
	status int
	*metrics.Counter
}

func (m *httpMetrics) newRoute(method, path string) *routeMetrics {
	labels := []metrics.Label{{Name: "method", Value: method}, {Name: "route", Value: path}}
	return &routeMetrics{
		duration: m.registry.Histogram("http_request_duration_seconds",
			"Time from a request's headers to the end of its answer.", labels...),
		counter: func(status int) *metrics.Counter {
			code := metrics.Label{Name: "code", Value: strconv.Itoa(status)}
			return m.registry.Counter("http_requests_total", "Requests answered.",
				append(labels[:2:2], code)...)
		},
	}
}

// observe counts one answer.
func (m *routeMetrics) observe(status int, took time.Duration) {
	m.of(status).Inc()
	m.duration.Observe(took)
}

// of returns the counter of a status. A route has a handful, of which the first is the usual one.
func (m *routeMetrics) of(status int) *metrics.Counter {
	for {
		var list []statusCounter
		if known := m.byStatus.Load(); known != nil {
			list = *known
		}
		for i := range list {
			if list[i].status == status {
				return list[i].Counter
			}
		}
		m.grow(status)
	}
}

// grow adds a status to the list, unless another request has done that.
func (m *routeMetrics) grow(status int) {
	m.growing.Lock()
	defer m.growing.Unlock()
	var list []statusCounter
	if known := m.byStatus.Load(); known != nil {
		list = *known
	}
	if slices.ContainsFunc(list, func(c statusCounter) bool { return c.status == status }) {
		return
	}
	m.byStatus.Store(new(append(slices.Clip(list), statusCounter{status, m.counter(status)})))
}
