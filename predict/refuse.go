package predict

import "net/http"

// maxUnread is how much of a refused request's body is left for net/http to read, so that the
// connection can be used again; with more to come it ends.
const maxUnread = 16 << 10

// Refuse answers a request that no handler is to see, in the shape that all errors have. Of its
// body so many bytes are unread, or below zero nobody knows how many.
func Refuse(w http.ResponseWriter, unread int64, status int, detail string) {
	WriteError(w, &Error{Status: status, Detail: detail, Close: unread < 0 || unread > maxUnread})
}
