package predict

import "net/http"

// MaxTarget is the longest request target that is answered, in bytes: no route and no query needs a
// tenth of it.
const MaxTarget = 2 << 10

// LimitTarget wraps a handler so that a request whose target is longer is refused before anything
// looks at it.
func LimitTarget(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.RequestURI) > MaxTarget {
			Refuse(w, r.ContentLength, http.StatusRequestURITooLong, "URI Too Long")
			return
		}
		next.ServeHTTP(w, r)
	})
}
