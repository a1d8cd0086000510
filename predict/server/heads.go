package server

import (
	"bytes"
	"context"
	"net"
	"net/http"

	"tickercast/predict"
)

// limitFields comes before observe, which adds a field, so the refusal is observed by itself.
func (s *Server) limitFields(next http.Handler) http.Handler {
	return s.fieldsOr(s.observe(http.HandlerFunc(refuseFields)), next)
}

// fieldsOr calls refusal for requests with more header fields than are configured.
func (s *Server) fieldsOr(refusal, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if leftOut(r) || countFields(r) > s.cfg.MaxHeaderFields {
			refusal.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func refuseFields(w http.ResponseWriter, r *http.Request) {
	if leftOut(r) {
		w.Header().Set("Connection", "close") // the lines may have said where the body ends
	}
	refuse(w, r, predict.Error{Status: http.StatusRequestHeaderFieldsTooLarge,
		Detail: "Request Header Fields Too Large"})
}

// leftOut reports whether the request lacks lines of its head.
func leftOut(r *http.Request) bool {
	conn, ok := r.Context().Value(connKey{}).(*trackedConn)
	return ok && conn.head.over
}

// countFields returns how many lines of fields a request of HTTP/1 had, and how many fields one of
// HTTP/2, whose pseudo-fields do not count. What net/http takes out of the header counts too.
func countFields(r *http.Request) int {
	n := len(r.TransferEncoding)
	if r.Host != "" && r.ProtoMajor == 1 {
		n++
	}
	if r.Trailer != nil {
		n++
	}
	for _, values := range r.Header {
		n += len(values)
	}
	return n
}

// connKey is the key of a *trackedConn in a request's context.
type connKey struct{}

// withConn is for http.Server.ConnContext.
func (c *connTracker) withConn(ctx context.Context, nc net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c.of(nc))
}

// A headCounter leaves out lines of a head that has far too many. For net/http each line becomes an
// entry of a map, of 100 bytes and more, which would stay until the head and the body are complete
// or late. What limitFields then sees is too long still, so no request is served without a line.
//
// It reads no header. It sees heads of HTTP/1 from the first byte that net/http reads for a
// request: up to 4 KiB that came together with the request before are not counted.
type headCounter struct {
	max      int  // lines; 0: any number
	lines    int  // of this head
	line     int  // length of the current line
	first    byte // of the current line
	done     bool // the empty line has come
	over     bool // lines were left out; the connection is closed after this request
	left     int  // bytes left out
	ended    bool // there was no end to them, and net/http has been given one
	preface  int  // how many bytes of the preface of HTTP/2 have come
	notHTTP2 bool // something else has, or may only
}

// spareLines are the request line, blank lines and some folded fields.
const spareLines = 12

// maxLeftOut is how many bytes of a head are left out, within the time for a head, so that the
// client has sent it all when it gets its answer.
const maxLeftOut = 64 << 10

// begin starts a new head.
func (h *headCounter) begin() { h.lines, h.line, h.done = 0, 0, false }

// take counts the lines in b[:n] and returns how many bytes of b net/http gets.
func (h *headCounter) take(b []byte, n int) (kept int) {
	for i := 0; i < n && !h.notHTTP2 && h.preface < len(preface); i++ {
		h.notHTTP2 = b[i] != preface[h.preface]
		h.preface++
	}
	if h.preface == len(preface) && !h.notHTTP2 {
		return n
	}
	for i := 0; i < n; {
		if h.done {
			return kept + copy(b[kept:], b[i:n])
		}
		size, whole := n-i, false
		if end := bytes.IndexByte(b[i:n], '\n'); end >= 0 {
			size, whole = end+1, true
		}
		if h.line == 0 {
			h.first = b[i]
		}
		h.line += size
		empty := h.line == 1 || h.line == 2 && h.first == '\r' // so far
		h.done = whole && empty && h.lines > 0
		if h.lines < h.max || h.done {
			kept += copy(b[kept:], b[i:i+size])
		} else {
			h.over = h.over || !empty
			h.left += size
		}
		if whole {
			h.lines++
			h.line = 0
		}
		i += size
	}
	if h.left > maxLeftOut && !h.done {
		h.done, h.ended = true, true
		kept += copy(b[kept:], "\r\n")
	}
	return kept
}

// takeHead counts the n bytes in b that were read. It returns how many of b net/http gets.
func (t *trackedConn) takeHead(b []byte, n int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.head.max == 0 || t.state != http.StateNew && t.state != http.StateIdle {
		return n
	}
	return t.head.take(b, n)
}
