package fastlane

import (
	"maps"
	"net/http"
)

const requestID = "X-Request-Id"

// refusal is a reply that Answer.Refuse has written, but for its body whole when it is done.
type refusal struct {
	header http.Header
	status int
	body   []byte
	head   head
}

func (r *refusal) Header() http.Header { return r.header }

func (r *refusal) WriteHeader(status int) { r.status = status }

func (r *refusal) Write(b []byte) (int, error) {
	r.body = append(r.body, b...)
	return len(b), nil
}

// refuse makes a reply to the request of this id, and tells whether it closes the connection.
func (l *Lane) refuse(write func(http.ResponseWriter), id []byte, closing bool) (refusal, bool) {
	r := refusal{header: maps.Clone(l.cfg.Header), status: http.StatusOK}
	if len(id) > 0 {
		r.header[requestID] = []string{string(id)}
	}
	write(&r)
	delete(r.header, requestID) // appendReply knows it
	closing = closing || r.header.Get("Connection") == "close"
	r.header.Del("Content-Length") // likewise
	r.head = newHead(r.status, r.header, "", closing)
	return r, closing
}
