package server

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"

	"tickercast/predict"
)

// middleware wraps next in what every public request passes, listed from the outside in.
func (s *Server) middleware(next http.Handler) http.Handler {
	list := []func(http.Handler) http.Handler{
		s.follow,
		s.limitFields,
		s.observe,
		closeAmbiguous,
		endUnasked,
		s.limitHead,
		limitTarget,
		s.crossOrigin,
		s.recoverPanic,
	}
	for _, wrap := range slices.Backward(list) {
		next = wrap(next)
	}
	return next
}

// headSlack is what net/http adds to MaxHeaderBytes for HTTP/1. It counts a head from where its own
// buffer ends, so that of a pipelined request up to as much more may pass.
const headSlack = 4 << 10

// limitHead refuses heads of more than Config.MaxHeaderBytes and headSlack, wherever they stand on
// a connection. The limit of net/http, which does not read the rest, is a little higher.
func (s *Server) limitHead(next http.Handler) http.Handler {
	limit := s.cfg.MaxHeaderBytes + headSlack
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if headSize(r) > limit {
			if r.ProtoMajor == 2 {
				clear(r.Header) // the client may read the answer slowly
			}
			predict.WriteError(w, r, &predict.Error{Status: http.StatusRequestHeaderFieldsTooLarge,
				Detail: "Request Header Fields Too Large", Close: r.ProtoMajor == 1})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// headSize returns how long a request's head is in HTTP/1.1, without the id, which may be ours.
func headSize(r *http.Request) int {
	size := len(r.Method) + len(r.RequestURI) + len("  HTTP/1.1\r\n") +
		len("Host: \r\n") + len(r.Host) + len("\r\n")
	for name, values := range r.Header {
		if name == requestID {
			continue
		}
		for _, v := range values {
			size += len(name) + len(v) + len(": \r\n")
		}
	}
	return size
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
			// Answers are written when they are complete, so as a rule none has begun; if one has,
			// net/http drops this.
			predict.WriteError(w, r, s.panicked(v, predict.Failure{
				ID: w.Header().Get(requestID), Method: r.Method, Pattern: r.Pattern}))
		}()
		next.ServeHTTP(w, r)
	})
}

// panicked counts and logs a panic with the request that it ended, and returns what its client gets
// instead.
func (s *Server) panicked(v any, f predict.Failure) *predict.Error {
	s.measure.panics.Inc()
	f.Err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
	s.logFault("panic", f)
	return &predict.Error{Status: http.StatusInternalServerError, Detail: "Internal Server Error"}
}

// nosniff keeps browsers from guessing another type than the one that an answer declares.
var nosniff = []string{"nosniff"}

func noSniff(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["X-Content-Type-Options"] = nosniff
		next.ServeHTTP(w, r)
	})
}

// logFailure logs a 500.
func (s *Server) logFailure(f predict.Failure) { s.logFault("answered 500", f) }

func (s *Server) logFault(what string, f predict.Failure) {
	s.logger.Error(what, "id", f.ID, "method", f.Method, "pattern", f.Pattern,
		"error", f.Err.Error())
}
