package predict

import (
	"context"
	"errors"
	"net/http"
	"strconv"
)

// jsonType is shared by all answers: a header's value that is never changed need not be made each
// time.
var jsonType = []string{"application/json"}

// writeJSON sends an answer that is complete. The length is left to net/http where it would find it
// anyway.
func writeJSON(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = jsonType
	if len(body) > 2048 { // the buffer in which net/http counts a body by itself
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	w.Write(body)
}

// refuse sends an error; what is no *Error is our own fault and is told to Config.Failed, never to
// the client.
func (s *Service) refuse(w http.ResponseWriter, r *http.Request, err error) {
	writeError(w, s.redacted(s.public(r, err)))
}

// redacted is what RedactInput leaves of an error: a copy, because all who waited for one
// computation share its error.
func (s *Service) redacted(e *Error) *Error {
	c := *e
	c.redact = s.cfg.RedactInput
	return &c
}

// RefusePlain sends an error of AnswerPlain as ServePredict does. Of the request no more is needed
// than Config.Failed asks for.
func (s *Service) RefusePlain(w http.ResponseWriter, r *http.Request,
	err error) {
	s.refuse(w, r, err)
}

// writeError is the only place where an error becomes a status and bytes.
func writeError(w http.ResponseWriter, e *Error) {
	e.setHeader(w.Header())
	writeJSON(w, e.Status, e.AppendJSON(nil))
}

func (e *Error) setHeader(h http.Header) {
	if e.closes {
		h.Set("Connection", "close")
	}
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(e.RetryAfter))
	}
}

// public is what a client may know of an error.
func (s *Service) public(r *http.Request, err error) *Error {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Status: http.StatusGatewayTimeout, Detail: "Gateway Timeout"}
	case errors.Is(err, context.Canceled):
		e = errUnreadable() // for the log: the client has left and reads no more
		e.closes = true
		return e
	}
	if s.cfg.Failed != nil {
		s.cfg.Failed(r, err)
	}
	return errInternal()
}

func errTooLarge() *Error {
	return &Error{Status: http.StatusRequestEntityTooLarge, Detail: "Request body too large",
		closes: true}
}

func errInternal() *Error {
	return &Error{Status: http.StatusInternalServerError, Detail: "Internal Server Error"}
}
