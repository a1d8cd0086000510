package server

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"tickercast/predict"
)

// closeAmbiguous ends connections on which net/http is laxer than RFC 9112, so that bytes behind a
// request whose end is in doubt are never taken for the next request:
//
//   - Transfer-Encoding: section 6.1 wants the connection closed when Content-Length is there too,
//     which net/http has removed by now;
//   - HTTP/1.0, in which Transfer-Encoding means faulty framing (section 6.1): such a request is
//     refused;
//   - an empty Host in HTTP/1.1, which section 3.2 calls invalid.
func closeAmbiguous(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 1 {
			noHost := r.Host == "" && r.ProtoMinor >= 1
			oldCoded := r.ProtoMinor == 0 && sawCoding(r)
			if noHost || r.ProtoMinor == 0 || len(r.TransferEncoding) > 0 {
				w.Header().Set("Connection", "close")
			}
			if noHost || oldCoded {
				predict.WriteError(w, r, &predict.Error{Status: http.StatusBadRequest,
					Detail: "Bad Request"})
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// endUnasked ends the connection of a client that asks with Expect whether to send its body, and
// gets another answer. net/http would wait for that body until the read timeout. It now ends its
// own side at once, and the other one a little later: a body that comes all the same would reset
// the connection, and might so cost the client the answer.
func endUnasked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		// Package predict deletes the header when it begins to read the body.
		if r.Header["Expect"] == nil || r.ContentLength == 0 || r.ProtoMajor != 1 ||
			r.ProtoMinor == 0 {
			return
		}
		http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
		for {
			inner, ok := w.(interface{ Unwrap() http.ResponseWriter })
			if !ok {
				break
			}
			w = inner.Unwrap()
		}
		// net/http ends a connection in this way after a body that was too long.
		tooLong := http.MaxBytesReader(w, io.NopCloser(strings.NewReader("x")), 0)
		tooLong.Read(make([]byte, 1))
	})
}

// A codingWatch looks for Transfer-Encoding in what a connection of net/http receives: net/http
// removes it from HTTP/1.0 requests, and nothing else tells that it was there. It knows no headers
// and no bodies, so it is asked only about HTTP/1.0 requests. They are the last of a connection,
// as are those with a Transfer-Encoding, so that only the text of a body may be taken for one.
type codingWatch struct {
	matched int // bytes of codingLine that came last; only the reading goroutine uses it
	found   atomic.Bool
}

const codingLine = "\ntransfer-encoding"

// see takes the next bytes.
func (c *codingWatch) see(b []byte) {
	for len(b) > 0 {
		if c.matched == 0 {
			i := bytes.IndexByte(b, codingLine[0])
			if i < 0 {
				return
			}
			b, c.matched = b[i+1:], 1
			continue
		}
		char := b[0]
		if 'A' <= char && char <= 'Z' {
			char += 'a' - 'A'
		}
		if char != codingLine[c.matched] {
			c.matched = 0 // and look at this byte again
			continue
		}
		b = b[1:]
		if c.matched++; c.matched == len(codingLine) {
			c.found.Store(true)
			c.matched = 0
		}
	}
}

// sawCoding reports whether a Transfer-Encoding has come on the connection of a request.
func sawCoding(r *http.Request) bool {
	t, ok := r.Context().Value(connKey{}).(*trackedConn)
	return ok && t.coding.found.Load()
}
