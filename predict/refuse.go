package predict

import "net/http"

// maxUnread is how much of a refused request's body is left for net/http to read, so that the connection can be used
// again; with more to come it ends.
const maxUnread = 16 << 10

// Refuse answers a request that no handler is to see, whose body is unread, in the shape that all errors have.
func Refuse(w http.ResponseWriter, r *http.Request, status int, detail string) {
	writeError(w, &Error{Status: status, Detail: detail, closes: r.ContentLength < 0 || r.ContentLength > maxUnread})
}
