package server

import (
	"math/rand/v2"
	"net/http"
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

// requestID is the header's name as net/http writes it.
const requestID = "X-Request-Id"

// observe gives a request its id, measures it, logs it, and while the server drains asks for the
// end of its connection.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, path := time.Now(), r.URL.Path // the router may shorten the path
		s.measure.inFlight.Add(1)
		w.Header()["X-Content-Type-Options"] = nosniff
		id := identify(w, r)
		rec := statusRecorder{ResponseWriter: w, request: r, draining: &s.draining,
			proxies: s.cfg.TrustedProxies, tooOld: s.cfg.MaxConnAge > 0 && isTooOld(r)}
		defer func() {
			rec.closeHold()
			s.measure.inFlight.Add(-1)
			took := time.Since(start)
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
				if rec.made != nil && rec.code() < 400 {
					e.Attrs = recordAttrs(rec.made)
				}
				s.access.Write(e)
			}
		}()
		if s.openHold(&rec) {
			next.ServeHTTP(&rec, r)
		}
		rec.finish()
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
	request  *http.Request
	status   int
	bytes    int64  // of the body
	key      string // its name
	pays     client // whose rate it is taken from
	made     *predict.Record
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
		rec.made = &made
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
