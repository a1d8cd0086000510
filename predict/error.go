package predict

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"tickercast/predict/pyjson"
)

// Error is a refusal in the form that FastAPI gives it: a text, or a list of what is wrong with the
// request's values. It is the only error that a client sees.
type Error struct {
	Status int
	Detail string  // used if there are no Issues
	Issues []Issue // of a 422

	RetryAfter int    // seconds; 0 omits the header
	Challenge  string // the WWW-Authenticate of a 401; "" omits it
	Codings    string // the Accept-Encoding of a 415; "" omits it
	Close      bool   // the connection cannot be used again
}

// Issue is one thing wrong with one value.
type Issue struct {
	Rule  pyjson.Rule
	In    string // body, query or path
	Field string // empty for the whole body
	Index int    // in a list, or the position of a syntax error; -1 for none
	Input []byte // the value as JSON, cut at 2 KiB; nil if it is not to be shown
}

// Failure is an error and the request that it answers.
type Failure struct {
	ID      string // the X-Request-Id of the answer
	Method  string
	Pattern string // of the route
	Err     error
}

// Error describes the refusal on one line.
func (e *Error) Error() string {
	if len(e.Issues) == 0 {
		return e.Detail
	}
	i := e.Issues[0]
	s := i.In
	if i.Field != "" {
		s += "." + i.Field
	}
	return s + ": " + i.Rule.Msg
}

// PublicError returns what a client may see of an error. What is not an *Error or the end of a
// context is a fault of ours: it goes to Config.Failed, and the client gets a plain 500.
func (s *Service) PublicError(f Failure) *Error {
	if e, ok := errors.AsType[*Error](f.Err); ok {
		return s.redacted(e)
	}
	if errors.Is(f.Err, context.DeadlineExceeded) {
		return &Error{Status: http.StatusGatewayTimeout, Detail: "Gateway Timeout"}
	}
	if errors.Is(f.Err, context.Canceled) {
		e := errUnreadable() // only for the log: the client has left
		e.Close = true
		return e
	}
	if s.cfg.Failed != nil {
		s.cfg.Failed(f)
	}
	return &Error{Status: http.StatusInternalServerError, Detail: "Internal Server Error"}
}

// redacted is e without inputs if Config.RedactInput says so. It copies, as an error may be shared.
func (s *Service) redacted(e *Error) *Error {
	if !s.cfg.RedactInput || len(e.Issues) == 0 {
		return e
	}
	c := *e
	c.Issues = slices.Clone(e.Issues)
	for i := range c.Issues {
		c.Issues[i].Input = nil
	}
	return &c
}

// refuse answers a request with what its client may see of an error. A 422 shows much of a request.
func (s *Service) refuse(w http.ResponseWriter, r *http.Request, err error) {
	e := s.publicError(w, r, err)
	if s.hold(w).Grow(e.mostBytes()) != nil {
		e = ErrOverload()
	}
	WriteError(w, r, e)
}

func (s *Service) publicError(w http.ResponseWriter, r *http.Request, err error) *Error {
	return s.PublicError(Failure{w.Header().Get("X-Request-Id"), r.Method, r.Pattern, err})
}

// WriteError answers a request with an error.
func WriteError(w http.ResponseWriter, r *http.Request, e *Error) {
	e.setHeader(w.Header())
	writeJSON(w, e.Status, e.Body(r.URL.Path))
}

// Body returns the body of the answer to a request for a path. Below /v2 errors have the form of
// the Open Inference Protocol.
func (e *Error) Body(path string) []byte {
	if path == "/v2" || strings.HasPrefix(path, "/v2/") {
		body := pyjson.AppendString([]byte(`{"error":`),
			pyjson.ReplaceInvalid([]byte(e.Error())))
		return append(body, '}')
	}
	return e.AppendJSON(nil)
}

// Header returns the headers that an answer has because of the error.
func (e *Error) Header() http.Header {
	h := http.Header{"Content-Type": jsonType}
	e.setHeader(h)
	return h
}

func (e *Error) setHeader(h http.Header) {
	if e.Close {
		h.Set("Connection", "close")
	}
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(e.RetryAfter))
	}
	if e.Codings != "" {
		h.Set("Accept-Encoding", e.Codings)
	}
	if e.Challenge != "" {
		h.Set("WWW-Authenticate", e.Challenge)
	}
}

// jsonType is shared by all answers, which saves making the header's value each time.
var jsonType = []string{"application/json"}

// writeJSON sends a complete answer.
func writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header()["Content-Type"] = jsonType
	write(w, status, body)
}

// write sends a complete answer of any type.
func write(w http.ResponseWriter, status int, body []byte) {
	if len(body) > 2048 { // up to there net/http counts by itself
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	w.Write(body)
}

// AppendJSON appends the body of the answer.
func (e *Error) AppendJSON(dst []byte) []byte {
	return append(e.appendDetail(append(dst, '{')), '}')
}

// mostBytes bounds the length of what AppendJSON appends. A byte of a text takes six at most.
func (e *Error) mostBytes() int {
	n := len(`{"detail":""}`) + 6*len(e.Detail)
	for i := range e.Issues {
		is := &e.Issues[i]
		n += len(`{"type":"","loc":["","",-9223372036854775808],"msg":"","input":,"ctx":},`) +
			len(is.Rule.Type) + len(is.In) + len(is.Field) + 6*len(is.Rule.Msg) + len(is.Input) +
			len(is.Rule.Ctx)
	}
	return n
}

func (e *Error) appendDetail(dst []byte) []byte {
	dst = append(dst, `"detail":`...)
	if len(e.Issues) == 0 {
		return pyjson.AppendString(dst, []byte(e.Detail))
	}
	dst = append(dst, '[')
	for i := range e.Issues {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = e.Issues[i].appendJSON(dst)
	}
	return append(dst, ']')
}

func (i *Issue) appendJSON(dst []byte) []byte {
	dst = append(dst, `{"type":"`...)
	dst = append(dst, i.Rule.Type...)
	dst = append(dst, `","loc":["`...)
	dst = append(dst, i.In...)
	dst = append(dst, '"')
	if i.Field != "" {
		dst = pyjson.AppendString(append(dst, ','), []byte(i.Field))
	}
	if i.Index >= 0 {
		dst = append(dst, ',')
		dst = strconv.AppendInt(dst, int64(i.Index), 10)
	}
	dst = append(dst, `],"msg":`...)
	dst = pyjson.AppendString(dst, []byte(i.Rule.Msg))
	if i.Input != nil {
		dst = append(dst, `,"input":`...)
		dst = append(dst, i.Input...)
	}
	if i.Rule.Ctx != "" {
		dst = append(dst, `,"ctx":`...)
		dst = append(dst, i.Rule.Ctx...)
	}
	return append(dst, '}')
}

// errValue is a 422 about the value of a body or of a field in it.
func errValue(rule pyjson.Rule, field string, input []byte) *Error {
	return &Error{Status: http.StatusUnprocessableEntity,
		Issues: []Issue{{Rule: rule, In: "body", Field: field, Index: -1, Input: input}}}
}

func errMissingBody() *Error { return errValue(ruleMissing, "", []byte("null")) }

func errUnreadable() *Error {
	return &Error{Status: http.StatusBadRequest, Detail: "There was an error parsing the body"}
}

func errTooLarge() *Error {
	return &Error{Status: http.StatusRequestEntityTooLarge, Detail: "Request body too large",
		Close: true}
}

func errUnknownTicker(ticker []byte) *Error {
	return &Error{Status: http.StatusNotFound, Detail: "Unknown ticker '" + string(ticker) + "'"}
}

// clip bounds what an error shows of a client's text.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}
