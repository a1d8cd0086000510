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
	"time"
)

// Request is a request to answer. It and what its methods return are valid until Route.Answer
// returns, and must not be changed. A header that the request does not have is empty.
type Request struct {
	Body    []byte
	Scratch any // is Route.Answer's, for what it needs during a request; Config.NewScratch makes it

	conn       *conn
	target     target
	whole      []byte // all of the request
	head       []byte // the headers
	found      headers
	id         []byte // to send as X-Request-Id
	newID      []byte // the buffer for a new one
	began, now time.Duration
}

func (r *Request) set(b []byte, t target, head, body int, found *headers) {
	head += t.end
	r.target, r.found = t, *found
	r.head, r.Body, r.whole = b[t.end:head:head], b[head:head+body:head+body], b[:head+body]
}

func (r *Request) value(which int) []byte { return r.found[which].of(r.head) }

// Path returns the path of the target.
func (r *Request) Path() string {
	if r.target.taken == nil {
		return r.target.Path
	}
	return string(r.whole[len(r.target.Method)+1 : r.target.segment.to])
}

// Segment returns the segment of the path that the client has chosen.
func (r *Request) Segment() []byte { return r.target.segment.of(r.whole) }

// Query returns the target behind the question mark, as it was sent.
func (r *Request) Query() []byte { return r.target.query.of(r.whole) }

func (r *Request) Authorization() []byte { return bytes.Trim(r.value(authorization), " ") }
func (r *Request) APIKey() []byte        { return bytes.Trim(r.value(apiKey), " ") }
func (r *Request) ForwardedFor() []byte  { return bytes.Trim(r.value(forwardedFor), " ") }
func (r *Request) Accept() []byte        { return r.value(accept) }
func (r *Request) IfNoneMatch() []byte   { return r.value(ifNoneMatch) }

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

// Response is what Route.Answer sends. A 200 or 304 without a Header is the fast one: it needs no
// allocation.
type Response struct {
	Status int // 0 means 200

	// Header is added to Config.Header and replaces headers of the same name. Names must be in
	// canonical form. Content-Length and X-Request-Id are ignored, as the lane sets them itself.
	// Connection: close closes the connection after the reply.
	Header http.Header

	// Fields are the values of Route.Fields, which are sent if there is no Header.
	Fields [MaxFields][]byte

	// Body may be changed after the next call of an Answer for the connection, but not before.
	Body []byte
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
	route := r.target.route
	resp, ok := route.Answer(r)
	if !ok {
		return handsOver
	}
	closing := l.stopping.Load() || l.cfg.Draining != nil && l.cfg.Draining() ||
		c.expires > 0 && now >= c.expires && len(c.unread()) == len(r.whole)
	var h head
	switch {
	case resp.Header == nil && (resp.Status == 0 || resp.Status == http.StatusOK):
		h = route.heads[0][index(closing)]
	case resp.Header == nil && resp.Status == http.StatusNotModified:
		h = route.heads[1][index(closing)]
	default:
		closing = closing || resp.Header.Get("Connection") == "close"
		h = l.newHead(cmp.Or(resp.Status, http.StatusOK), closing, resp.Header, nil)
	}
	b.out = l.appendReply(b.out, h, r, &resp, closing)
	if closing || r.closes() {
		return closes
	}
	return stays
}

// closes reports whether the client has asked for the end of the connection.
func (r *Request) closes() bool { return r.found[connectionClose].to > 0 }

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

// head is the start of a reply, up to the value of Date.
type head []piece

// piece is a text and the value that follows it: a field of the response, or one of those below.
type piece struct {
	text  string
	value int
}

const (
	lengthLine = -1 - iota // the line of a Content-Length that net/http needs the handler to set
	idValue
	dateValue
)

// newHead orders headers as net/http does: those of a handler by name, then Date.
func (l *Lane) newHead(status int, closes bool, more http.Header, fields []string) (h head) {
	const length, id = "Content-Length", "X-Request-Id"
	all := maps.Clone(l.cfg.Header)
	maps.Copy(all, more)
	if closes {
		all["Connection"] = []string{"close"}
	}
	all[length] = nil
	if delete(all, id); l.cfg.RequestID != nil {
		all[id] = nil
	}
	if status == http.StatusNotModified {
		delete(all, "Content-Type")
		delete(all, length)
	}
	for _, name := range fields {
		all[name] = nil
	}
	text := fmt.Sprintf("HTTP/1.1 %d %s"+crlf, status, http.StatusText(status))
	cut := func(value int) { h, text = append(h, piece{text, value}), crlf }
	for _, name := range slices.Sorted(maps.Keys(all)) {
		field := slices.Index(fields, name)
		switch {
		case name == length:
			cut(lengthLine)
			text = ""
		case name == id:
			text += name + ": "
			cut(idValue)
		case field >= 0:
			text += name + ": "
			cut(field)
		default:
			for _, value := range all[name] {
				text += name + ": " + value + crlf
			}
		}
	}
	text += "Date: "
	cut(dateValue)
	return h
}

// autoLength is the longest body whose length net/http finds by itself, to send it after Date. The
// handler must have set the length of a longer one.
const autoLength = 2048

func (l *Lane) appendReply(b []byte, h head, r *Request, resp *Response, closing bool) []byte {
	body := resp.Body
	for i := range h {
		b = append(b, h[i].text...)
		switch value := h[i].value; value {
		case lengthLine:
			if len(body) > autoLength {
				b = appendLength(b, len(body))
			}
		case idValue:
			b = append(b, r.id...)
		case dateValue:
			b = append(b, l.date(r.now)...)
		default:
			b = append(b, resp.Fields[value]...)
		}
	}
	b = append(b, crlf...)
	if len(body) <= autoLength && resp.Status != http.StatusNotModified {
		b = appendLength(b, len(body))
	}
	if r.closes() && !closing {
		b = append(b, "Connection: close"+crlf...)
	}
	b = append(b, crlf...)
	return append(b, body...)
}

func appendLength(b []byte, n int) []byte {
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, int64(n), 10)
	return append(b, crlf...)
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
