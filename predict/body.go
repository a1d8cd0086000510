package predict

import (
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
)

// maxPooled bounds the buffers that are kept for the next request: one client's largest body must not be held for ever.
const maxPooled = 64 << 10

// buffers saves the one allocation of a request that its size decides: without it a hit costs the body in garbage.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

func putBuffer(b *[]byte) {
	if cap(*b) <= maxPooled {
		buffers.Put(b)
	}
}

// readBody reads a whole body of at most limit bytes into buf, grown if need be, and returns it. A length declared beyond
// the limit is refused before anything is read; w must be the server's own, so that a body that turns out too long ends
// the connection.
func readBody(w http.ResponseWriter, r *http.Request, buf []byte, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return buf, errTooLarge()
	}
	body := r.Body
	if r.ContentLength >= 0 {
		buf = slices.Grow(buf, int(r.ContentLength))
	} else {
		body = http.MaxBytesReader(w, body, limit)
	}
	for int64(len(buf)) != r.ContentLength {
		buf = slices.Grow(buf, 1)
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

// errReading is the answer to a body that did not arrive. Whatever went wrong lies on the client's side or on the way.
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
