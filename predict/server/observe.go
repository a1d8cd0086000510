package server

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"tickercast/predict/internal/logging"
	"tickercast/predict/internal/metrics"
)

// requestID is the header's name as net/http writes it.
const requestID = "X-Request-Id"

// observe gives a request its id, measures it, logs it, and while the server drains asks for the
// end of its connection.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		s.measure.inFlight.Add(1)
		w.Header()["X-Content-Type-Options"] = nosniff
		id := identify(w, r)
		rec := statusRecorder{ResponseWriter: w, draining: &s.draining}
		defer func() {
			s.measure.inFlight.Add(-1)
			took := time.Since(start)
			s.measure.of(r.Pattern).observe(rec.code(), took) // the mux has set it by now
			if s.access != nil && s.access.Wants(rec.code()) {
				s.access.Write(&logging.Entry{
					ID: id, Trace: traceOf(r), Client: rec.client, Remote: r.RemoteAddr,
					Method: r.Method, Path: r.URL.Path, Proto: r.Proto,
					Status: rec.code(), Duration: took, Bytes: rec.bytes,
				})
			}
		}()
		next.ServeHTTP(&rec, r)
	})
}

// identify gives a request its id: its own if that is fit to be logged, else a new one. The answer
// and the request's header carry it from here on.
func identify(w http.ResponseWriter, r *http.Request) string {
	values := r.Header[requestID]
	if len(values) != 1 || !validID(values[0]) {
		values = []string{string(appendID(nil))}
		r.Header[requestID] = values
	}
	w.Header()[requestID] = values
	return values[0]
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
	status   int
	bytes    int64  // of the body
	client   string // the name of its key
	draining *atomic.Bool
}

func (r *statusRecorder) WriteHeader(status int) {
	r.begin(status)
	r.ResponseWriter.WriteHeader(status)
}

// begin is the last moment to ask for the end of the connection: the request may have begun before
// the drain.
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
	byStatus sync.Map // int to *metrics.Counter, made at first use
	duration *metrics.Histogram
	counter  func(status int) *metrics.Counter
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
	c, ok := m.byStatus.Load(status)
	if !ok {
		c = m.counter(status) // the registry gives racing requests the same series
		m.byStatus.Store(status, c)
	}
	c.(*metrics.Counter).Inc()
	m.duration.Observe(took)
}

// maxID is the length of the longest request id that is accepted from a client.
const maxID = 128

// appendID appends a new request id to b: 128 random bits as 32 hex digits. The runtime keeps the
// generator per thread, so this takes no lock and shares no counter between cores.
func appendID(b []byte) []byte {
	const digits = "0123456789abcdef"
	var id [32]byte
	for at := 0; at < len(id); at += 16 {
		x := rand.Uint64()
		for i := range 16 {
			id[at+i] = digits[x&15]
			x >>= 4
		}
	}
	return append(b, id[:]...)
}

// validID reports whether an id from a client may stand in the answer and the log: up to maxID
// letters, digits and -._~:+/=. That covers UUIDs, ULIDs, base64 and the ids of load balancers, and
// needs no escape anywhere.
func validID[T string | []byte](s T) bool {
	if len(s) == 0 || len(s) > maxID {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case '0' <= c && c <= '9', 'a' <= c|0x20 && c|0x20 <= 'z':
		case c == '-', c == '.', c == '_', c == '~', c == ':', c == '+', c == '/', c == '=':
		default:
			return false
		}
	}
	return true
}

// validTrace reports whether s is a traceparent of W3C Trace Context: version, trace id, parent id
// and flags, in lower case hex, the ids not zero. A version above 00 may go on after that, up to
// maxID bytes.
func validTrace[T string | []byte](s T) bool {
	const length = len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if len(s) < length || len(s) > maxID || len(s) > length &&
		(string(s[:2]) == "00" || s[length] != '-' || !validID(s)) {
		return false
	}
	for i := range length {
		switch c := s[i]; {
		case i == 2 || i == 35 || i == 52:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return string(s[:2]) != "ff" && string(s[3:35]) != "00000000000000000000000000000000" &&
		string(s[36:52]) != "0000000000000000"
}
