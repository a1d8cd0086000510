package fastlane

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Request is a request to answer. It and what its methods return are valid until Config.Answer
// returns, and must not be changed. A header that the request does not have is empty.
type Request struct {
	Body []byte

	conn       *conn
	whole      []byte // headers and body
	found      headers
	id         []byte // to send as X-Request-Id
	newID      []byte // the buffer for a new one
	began, now time.Duration
}

func (r *Request) set(b []byte, head, size int, found *headers) {
	r.Body, r.whole, r.found = b[head:size:size], b[:size:size], *found
}

func (r *Request) value(which int) []byte { return r.found[which].of(r.whole) }

func (r *Request) Authorization() []byte { return bytes.Trim(r.value(authorization), " ") }
func (r *Request) APIKey() []byte        { return bytes.Trim(r.value(apiKey), " ") }
func (r *Request) ForwardedFor() []byte  { return bytes.Trim(r.value(forwardedFor), " ") }

// Trace returns the Traceparent that Config.ValidTrace has accepted.
func (r *Request) Trace() []byte { return r.value(traceparent) }

// ID returns the X-Request-Id of the reply: the client's own, or else a new one. It is empty if
// Config.RequestID is nil.
func (r *Request) ID() []byte { return r.id }

// Remote returns the client's end of the connection.
func (r *Request) Remote() net.Addr { return r.conn.nc.RemoteAddr() }

// Elapsed returns the time since the whole request was there and the answers to the requests before
// it were made.
func (r *Request) Elapsed() time.Duration {
	r.now = r.conn.lane.now()
	return r.now - r.began
}

// Response is what Config.Answer sends. A 200 without a Header is the fast one: it needs no
// allocation.
type Response struct {
	Status int // 0 means 200

	// Header is added to Config.Header and replaces headers of the same name. Names must be in
	// canonical form. Content-Length and X-Request-Id are ignored, as the lane sets them itself.
	// Connection: close closes the connection after the reply.
	Header http.Header

	Body []byte // must not change afterwards
}

// reply appends the answer to the request in the buffers. If a function of Config panics, the
// request is handed over: net/http treats a panic as it does for every other request.
func (c *conn) reply(now time.Duration) (o outcome) {
	l, b := c.lane, c.buffers
	r, before := &b.request, len(b.out)
	defer func() {
		if v := recover(); v != nil {
			b.out, o = b.out[:before], handsOver
			l.cfg.Fault(fmt.Errorf("answering a request: panic: %v\n%s", v, debug.Stack()))
		}
	}()
	r.conn, r.began, r.now = c, now, now
	if l.cfg.RequestID != nil {
		if r.id = r.value(requestID); len(r.id) == 0 {
			r.newID = l.cfg.RequestID(r.newID[:0])
			r.id = r.newID
		}
	}
	resp, ok := l.cfg.Answer(r)
	if !ok {
		return handsOver
	}
	closing := l.stopping.Load() || l.cfg.Draining != nil && l.cfg.Draining() ||
		c.expires > 0 && now >= c.expires && len(c.unread()) == len(r.whole)
	h := &l.heads[0]
	switch {
	case resp.Header != nil || resp.Status != 0 && resp.Status != http.StatusOK:
		closing = closing || resp.Header.Get("Connection") == "close"
		other := l.newHead(cmp.Or(resp.Status, http.StatusOK), closing, resp.Header)
		h = &other
	case closing:
		h = &l.heads[1]
	}
	b.out = l.appendReply(b.out, h, r.id, resp.Body, r.now)
	if closing {
		return closes
	}
	return stays
}

// head is the start of a reply, up to the value of Date. A Content-Length that net/http needs the
// handler to set comes after toLength, the value of X-Request-Id after toID.
type head struct{ toLength, toID, toDate string }

// newHead orders headers as net/http does: those of a handler by name, then Date.
func (l *Lane) newHead(status int, closes bool, more http.Header) head {
	all := maps.Clone(l.cfg.Header)
	maps.Copy(all, more)
	if closes {
		all["Connection"] = []string{"close"}
	}
	names := slices.Sorted(maps.Keys(all))
	between := func(low, high string) string {
		var b strings.Builder
		for _, name := range names {
			if low < name && name < high {
				for _, value := range all[name] {
					b.WriteString(name + ": " + value + "\r\n")
				}
			}
		}
		return b.String()
	}
	const length, id, end = "Content-Length", "X-Request-Id", "\x7F"
	h := head{
		toLength: fmt.Sprintf("HTTP/1.1 %d %s\r\n", status, http.StatusText(status)) +
			between("", length),
		toID:   between(length, id),
		toDate: between(id, end) + "Date: ",
	}
	if l.cfg.RequestID != nil {
		h.toID, h.toDate = h.toID+id+": ", "\r\n"+h.toDate
	}
	return h
}

// autoLength is the longest body whose length net/http finds by itself, to send it after Date. The
// handler must have set the length of a longer one.
const autoLength = 2048

func (l *Lane) appendReply(b []byte, h *head, id, body []byte, now time.Duration) []byte {
	b = append(b, h.toLength...)
	if len(body) > autoLength {
		b = appendLength(b, len(body))
	}
	b = append(b, h.toID...)
	b = append(b, id...)
	b = append(b, h.toDate...)
	b = append(b, l.date(now)...)
	b = append(b, "\r\n"...)
	if len(body) <= autoLength {
		b = appendLength(b, len(body))
	}
	b = append(b, "\r\n"...)
	return append(b, body...)
}

func appendLength(b []byte, n int) []byte {
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, int64(n), 10)
	return append(b, "\r\n"...)
}

// cachedDate is the value of Date until a new second begins.
type cachedDate struct {
	text  string
	until time.Duration
}

func (l *Lane) date(now time.Duration) string {
	d := l.cached.Load()
	if d == nil || now >= d.until {
		t := time.Now()
		d = &cachedDate{t.UTC().Format(http.TimeFormat),
			now + time.Second - time.Duration(t.Nanosecond())}
		l.cached.Store(d)
	}
	return d.text
}
