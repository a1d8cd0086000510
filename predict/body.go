package predict

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"unicode"

	"tickercast/predict/internal/limits"
	"tickercast/predict/pyjson"
)

// A bodyPool bounds the bodies of one kind of request, and keeps their buffers for later ones:
// otherwise each hit would leave its body as garbage.
type bodyPool struct {
	limit   int64 // bytes of a body
	keep    int   // capacity up to which a buffer is kept
	first   int   // capacity of a new buffer
	buffers sync.Pool
}

// keptBody is small, since what a pool keeps is counted by no limiter, and a buffer counts as a
// whole: a short body must not be refused because a long one was before it.
const keptBody = 4 << 10

func (p *bodyPool) get() *[]byte {
	if b, ok := p.buffers.Get().(*[]byte); ok {
		*b = (*b)[:0]
		return b
	}
	b := make([]byte, 0, p.first)
	return &b
}

func (p *bodyPool) put(b *[]byte) {
	if cap(*b) <= p.keep {
		p.buffers.Put(b)
	}
}

// A call says how a POST is served.
type call struct {
	bodies *bodyPool
	json   bool // its Content-Type must be JSON
	costly bool // it needs a slot
	many   bool // it asks for many forecasts, and is worth ending early
}

// serve reads the body of a POST and calls do with it. The body is valid until do returns. held
// counts what the request holds, for do to add its own.
func (s *Service) serve(w http.ResponseWriter, r *http.Request, c call,
	do func(ctx context.Context, body []byte, held *limits.Hold) error) error {
	if c.costly && s.cfg.Overloaded != nil && s.cfg.Overloaded(int(max(r.ContentLength, 0))) {
		return ErrOverload() // net/http closes the connection if the unread body is long
	}
	held := s.hold(w)
	buf := c.bodies.get()
	body, err := readBody(w, r, *buf, c.bodies.limit, held)
	*buf = body
	defer func() {
		held.Shrink(cap(body))
		c.bodies.put(buf)
	}()
	if err == nil && c.json {
		err = checkType(r, body)
	}
	if err != nil {
		return err
	}
	// The context of r ends when the client closes its sending side. A client that has done so may
	// still wait for its answer; one forecast is made sooner than that is known, many are not.
	ctx := context.Background()
	if c.many {
		ctx = r.Context()
		if s.cfg.Timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, s.cfg.Timeout)
			defer cancel()
		}
	}
	if c.costly && s.cfg.Slot != nil {
		release, err := s.cfg.Slot(ctx, len(body))
		if err != nil {
			return err
		}
		defer release()
	}
	return do(ctx, body, held)
}

// firstRead is ten times as long as nearly every body of a single request.
const firstRead = 1 << 10

// readBody reads a whole body of at most limit bytes into buf, which it grows, and returns it. In
// any case held then counts its capacity. A declared length beyond the limit is refused before
// anything is read. gzip is decompressed, with the same limit before and after.
func readBody(w http.ResponseWriter, r *http.Request, buf []byte, limit int64,
	held *limits.Hold) ([]byte, error) {
	if held.Grow(cap(buf)) != nil {
		return nil, errNoRoom()
	}
	if r.ContentLength > limit {
		return buf, errTooLarge()
	}
	gzipped, err := isGzipped(r)
	if err != nil {
		return buf, err
	}
	delete(r.Header, "Expect") // a client that asked whether to send the body is told so now
	var body io.Reader = r.Body
	length := r.ContentLength
	if length < 0 || gzipped {
		body = http.MaxBytesReader(w, r.Body, limit)
	}
	if gzipped {
		if held.Grow(inflaterBytes) != nil {
			return buf, errNoRoom()
		}
		defer held.Shrink(inflaterBytes)
		body, length = newInflater(body, limit), -1
	}
	most := limit + 1 // one more to see that it is too long
	if length >= 0 {
		most = length
	}
	for int64(len(buf)) != length {
		if len(buf) == cap(buf) {
			// Grow by as much as has come, so that a declared body takes no memory until it is
			// sent.
			var err error
			n := int(min(most-int64(len(buf)), int64(max(len(buf), firstRead))))
			if buf, err = extend(buf, n, held); err != nil {
				return buf, errNoRoom()
			}
		}
		n, err := body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		held.Progress()
		if err == io.EOF && length < 0 {
			break
		}
		if err != nil && int64(len(buf)) != length {
			return buf, errReading(err)
		}
	}
	r.Trailer = nil // nothing needs it, and nothing counts it
	return buf, nil
}

// errNoRoom refuses a body before its end. What is still to come cannot be skipped: a slow client
// would have to send all of it before it gets the answer.
func errNoRoom() *Error {
	e := ErrOverload()
	e.Close = true
	return e
}

// errReading is the answer to a body that did not arrive. The cause is the client or the network.
func errReading(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errTooLarge()
	}
	e := errUnreadable()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		e = &Error{Status: http.StatusRequestTimeout, Detail: "Request Timeout"}
	}
	e.Close = true
	return e
}

// checkType refuses a body that is not said to be JSON. FastAPI takes it for a string, which is no
// object.
func checkType(r *http.Request, body []byte) error {
	if len(body) == 0 || isJSON(r.Header.Get("Content-Type")) {
		return nil
	}
	return errValue(ruleBody, "", pyjson.StringInput(pyjson.ReplaceInvalid(body)))
}

// isJSON reports whether a Content-Type is JSON as Python's email package reads it: before the
// first semicolon stands application/json or application/...+json, in any case.
func isJSON(contentType string) bool {
	if contentType == "application/json" || strings.HasPrefix(contentType, "application/json;") {
		return true
	}
	latin1 := make([]rune, len(contentType)) // what a header is to Python
	for i := range latin1 {
		latin1[i] = rune(contentType[i])
	}
	t, _, _ := strings.Cut(strings.ToLower(string(latin1)), ";")
	t = strings.TrimFunc(t, func(r rune) bool {
		return unicode.IsSpace(r) || 0x1C <= r && r <= 0x1F // as Python's strip
	})
	sub, ok := strings.CutPrefix(t, "application/")
	return ok && !strings.Contains(sub, "/") && (sub == "json" || strings.HasSuffix(sub, "+json"))
}
