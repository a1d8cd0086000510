package predict

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
)

// Recover wraps a handler so that a panic in it costs its own request alone: the client gets a 500,
// and failed, unless nil, an error with the stack. http.ErrAbortHandler passes through, as net/http
// means it to.
func Recover(next http.Handler, failed func(*http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			if failed != nil {
				failed(r, fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
			}
			// Answers are written when they are complete, so as a rule none has begun; if one has,
			// net/http drops this.
			WriteError(w, &Error{Status: 500, Detail: "Internal Server Error"})
		}()
		next.ServeHTTP(w, r)
	})
}
