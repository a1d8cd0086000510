package fastlane

import "net/http"

// Strict wraps the handler of the http.Server so that what net/http is laxer about than RFC 9112
// ends the connection, and no bytes behind a request whose end is in doubt are ever taken for the
// next one:
//
//   - a request with Transfer-Encoding: section 6.1 wants it closed when Content-Length is there too, which by then
//     nobody can tell;
//   - HTTP/1.0, in which Transfer-Encoding, by then removed, means faulty framing (section 6.1);
//   - an empty Host in HTTP/1.1, which section 3.2 calls invalid: badRequest answers it.
func Strict(next, badRequest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 1 {
			noHost := r.Host == "" && r.ProtoMinor >= 1
			if noHost || r.ProtoMinor == 0 || len(r.TransferEncoding) > 0 {
				w.Header().Set("Connection", "close")
			}
			if noHost {
				badRequest.ServeHTTP(w, r)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
