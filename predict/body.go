package predict

import (
	"errors"
	"io"
	"math"
	"net/http"
	"os"
	"slices"
	"sync"
)

// A bufferPool saves the allocation of a request that its size decides: without it a hit costs its
// body in garbage.
type bufferPool struct {
	// a buffer that has grown beyond is dropped: one client's largest body must not be held for
	// ever
	max  int
	pool sync.Pool
}

func (p *bufferPool) get() *[]byte {
	if b, ok := p.pool.Get().(*[]byte); ok {
		*b = (*b)[:0]
		return b
	}
	return new([]byte)
}

func (p *bufferPool) put(b *[]byte) {
	if cap(*b) <= p.max {
		p.pool.Put(b)
	}
}

// readJSON is readBody for a body that must say that it is JSON.
func readJSON(w http.ResponseWriter, r *http.Request, buf []byte, limit int64) ([]byte, error) {
	body, err := readBody(w, r, buf, limit)
	if err == nil && !isJSON(r.Header.Get("Content-Type")) {
		err = errNotJSON(body)
	}
	return body, err
}

// firstRead is as long as nearly every body of a single request, ten times over.
const firstRead = 1 << 10

// readBody reads a whole body of at most limit bytes into buf, grown if need be, and returns it. A
// length declared beyond the limit is refused before anything is read; w must be the server's own,
// so that a body that turns out too long ends the connection.
func readBody(w http.ResponseWriter, r *http.Request, buf []byte, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return buf, errTooLarge()
	}
	body := r.Body
	left := int64(math.MaxInt64)
	if r.ContentLength >= 0 {
		left = r.ContentLength
	} else {
		body = http.MaxBytesReader(w, body, limit)
	}
	for int64(len(buf)) != r.ContentLength {
		if len(buf) == cap(buf) {
			// By as much as has come: whoever declares a long body and does not send it gets no
			// memory for it.
			buf = slices.Grow(buf, int(min(left-int64(len(buf)), int64(max(len(buf), firstRead)))))
		}
		n, err := body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF && r.ContentLength < 0 {
			break
		}
		if err != nil && int64(len(buf)) != r.ContentLength {
			return buf, errReading(err)
		}
	}
	return buf, nil
}

// errReading is the answer to a body that did not arrive. Whatever went wrong lies on the client's
// side or on the way.
func errReading(err error) *Error {
	e := errUnreadable()
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return errTooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		e = &Error{Status: http.StatusRequestTimeout, Detail: "Request Timeout"}
	}
	e.closes = true
	return e
}
