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
				predict.WriteError(w, r, &predict.Error{Status: http.StatusBadRequest,
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
			predict.WriteError(w, r, &predict.Error{Status: http.StatusInternalServerError,
				Detail: "Internal Server Error"})
		}()
		next.ServeHTTP(w, r)
	})
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
