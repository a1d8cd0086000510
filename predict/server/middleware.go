package server

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"tickercast/predict"
	"tickercast/predict/internal/logging"
)

// middleware puts what every public request passes in front of next, outermost first.
func (s *Server) middleware(next http.Handler) http.Handler {
	list := []func(http.Handler) http.Handler{
		s.observe,
		closeAmbiguous,
		limitTarget,
		s.crossOrigin,
		s.recoverPanic,
	}
	for _, wrap := range slices.Backward(list) {
		next = wrap(next)
	}
	return next
}

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
			if s.access.Wants(rec.code()) {
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

// nosniff keeps browsers from taking an answer for another type than it says.
var nosniff = []string{"nosniff"}

func noSniff(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["X-Content-Type-Options"] = nosniff
		next.ServeHTTP(w, r)
	})
}

// identify gives a request its id: its own if that is fit to be logged, else a new one. The answer
// and the request's header carry it from here on.
func identify(w http.ResponseWriter, r *http.Request) string {
	values := r.Header[requestID]
	if len(values) != 1 || !logging.ValidID(values[0]) {
		values = []string{string(logging.AppendID(nil))}
		r.Header[requestID] = values
	}
	w.Header()[requestID] = values
	return values[0]
}

// traceOf returns the trace that a request says it is part of, or "".
func traceOf(r *http.Request) string {
	if t := r.Header["Traceparent"]; len(t) == 1 && logging.ValidTrace(t[0]) {
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

// closeAmbiguous ends connections on which net/http is laxer than RFC 9112, so that bytes behind a
// request whose end is in doubt are never taken for the next request:
//
//   - Transfer-Encoding: section 6.1 wants the connection closed when Content-Length is there too,
//     which net/http has removed by now;
//   - HTTP/1.0, in which Transfer-Encoding, removed too, means faulty framing (section 6.1);
//   - an empty Host in HTTP/1.1, which section 3.2 calls invalid.
func closeAmbiguous(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 1 {
			noHost := r.Host == "" && r.ProtoMinor >= 1
			if noHost || r.ProtoMinor == 0 || len(r.TransferEncoding) > 0 {
				w.Header().Set("Connection", "close")
			}
			if noHost {
				predict.WriteError(w, &predict.Error{Status: http.StatusBadRequest,
					Detail: "Bad Request"})
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// maxTarget bounds a request's target, in bytes: no route and no query needs a tenth of it.
const maxTarget = 2 << 10

func limitTarget(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.RequestURI) > maxTarget {
			refuse(w, r, predict.Error{Status: http.StatusRequestURITooLong,
				Detail: "URI Too Long"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// crossOrigin lets pages of the configured origins ask. It refuses a preflight in the words of
// Starlette's middleware.
func (s *Server) crossOrigin(next http.Handler) http.Handler {
	if s.cors == nil {
		return next
	}
	return s.cors.Wrap(next, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse(w, r, predict.Error{Status: http.StatusBadRequest,
			Detail: "Disallowed CORS origin"})
	}))
}

// recoverPanic makes a panic cost only its own request: the client gets a 500, the log the stack.
// http.ErrAbortHandler passes through, as net/http means it to.
func (s *Server) recoverPanic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			s.measure.panics.Inc()
			s.logFault("panic", predict.Failure{ID: r.Header.Get(requestID), Method: r.Method,
				Pattern: r.Pattern, Err: fmt.Errorf("panic: %v\n%s", v, debug.Stack())})
			// Answers are written when they are complete, so as a rule none has begun; if one has,
			// net/http drops this.
			predict.WriteError(w, &predict.Error{Status: http.StatusInternalServerError,
				Detail: "Internal Server Error"})
		}()
		next.ServeHTTP(w, r)
	})
}

// logFailure logs a 500.
func (s *Server) logFailure(f predict.Failure) { s.logFault("answered 500", f) }

func (s *Server) logFault(what string, f predict.Failure) {
	s.logger.Error(what, "id", f.ID, "method", f.Method, "pattern", f.Pattern,
		"error", f.Err.Error())
}
