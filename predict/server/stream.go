package server

import (
	"maps"
	"net/http"
	"strconv"
	"time"

	"tickercast/predict"
	"tickercast/predict/internal/limits"
)

const (
	// maxRefusing is how many refusals of a connection may be under way, since each keeps its
	// stream. The others wait for them.
	maxRefusing = 2
	// refusalWait is how long they do. A client that does not even take refusals loses its
	// connection.
	refusalWait = 500 * time.Millisecond
)

// beginRefusal reports whether the client takes its refusals.
func (t *trackedConn) beginRefusal() bool {
	select {
	case t.refusing <- struct{}{}:
		return true
	case <-time.After(refusalWait):
		return false
	}
}

func (s *Server) openStream(rec *statusRecorder) bool {
	r := rec.request
	size := fieldsBytes(r.Header)
	if r.ContentLength != 0 && r.Method != http.MethodPost {
		size += streamWindow // no handler reads it
	}
	// One stream at a time is free, as one request of a connection is without HTTP/2.
	rec.conn = r.Context().Value(connKey{}).(*trackedConn)
	if rec.free = rec.conn.freeStream.CompareAndSwap(false, true); rec.free {
		s.limiter.Open(&rec.hold, rec, limits.FreeBytes+freeHead)
	} else {
		s.limiter.Open(&rec.hold, rec, 0)
		size += streamBytes
	}
	if rec.hold.Grow(size) == nil {
		return true
	}
	if rec.refused = rec.conn.beginRefusal(); !rec.refused {
		rec.conn.Stop()
	}
	// No body: it would wait for the client to make room for it.
	e := predict.ErrOverload()
	maps.Copy(rec.Header(), e.Header())
	rec.WriteHeader(e.Status)
	return false
}

// fieldsBytes is headBytes for the fields of a stream.
func fieldsBytes(h http.Header) (n int) {
	for name, values := range h {
		for _, v := range values {
			n += headFactor*(len(name)+len(v)) + fieldBytes
		}
	}
	return n
}

// leave gives back what a stream held, but while a client takes nothing only when it does again:
// the stream is there until the end of its answer is written. It reports whether r is not needed
// any more.
func (h *connHold) leave(r *statusRecorder) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waiting.Load() > 0 {
		h.leaving = append(h.leaving, r)
		return false
	}
	r.release()
	return true
}

// left gives back what streams held that were waiting for the client.
func (h *connHold) left() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.leaving {
		r.release()
	}
	h.leaving = nil
}

func (r *statusRecorder) release() {
	r.hold.Release()
	if r.free {
		r.conn.freeStream.Store(false)
	}
	if r.refused {
		<-r.conn.refusing
	}
}

// maxKept is how much of an answer over HTTP/2 is kept until its end, to count its length. It is
// what net/http does, which would send it only when the handler has returned: then it is too late
// to count it as held while the client does not take it.
const maxKept = 2048

// keep keeps b, if all of the answer so far is short.
func (r *statusRecorder) keep(b []byte) bool {
	if r.sent || len(r.kept)+len(b) > maxKept {
		r.send()
		return false
	}
	r.kept = append(r.kept, b...)
	r.bytes += int64(len(b))
	return true
}

// send sends the head of an answer over HTTP/2, and what is kept.
func (r *statusRecorder) send() {
	if r.sent {
		return
	}
	r.sent = true
	r.ResponseWriter.WriteHeader(r.code())
	if len(r.kept) > 0 {
		r.ResponseWriter.Write(r.kept)
	}
}

// finish sends over HTTP/2 what is not sent yet.
func (r *statusRecorder) finish() {
	if r.conn == nil {
		return
	}
	status := r.code()
	empty := status == http.StatusNoContent || status == http.StatusNotModified ||
		len(r.kept) == 0 && r.request.Method == http.MethodHead
	if h := r.Header(); !r.sent && !empty && h["Content-Length"] == nil {
		h.Set("Content-Length", strconv.Itoa(len(r.kept)))
	}
	r.begin(status)
	r.send()
	http.NewResponseController(r.ResponseWriter).Flush()
}

// becomeHTTP2 is called once it is known that the connection has no heads of HTTP/1.
func (t *trackedConn) becomeHTTP2() {
	t.http2.Store(true)
	t.memory.hold.Release()
}

// countBacklog counts n bytes of frames that were read and that net/http answers. Only the
// goroutine that reads calls it.
func (h *connHold) countBacklog(n int) error {
	if n == 0 && h.backlog == 0 {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	before := backlogFactor * h.backlog
	h.backlog = max(h.backlog-int(h.written.Swap(0)), 0)
	if h.waiting.Load() > 0 {
		h.backlog += n
	}
	if h.closed {
		return nil
	}
	return h.hold.Grow(backlogFactor*h.backlog - before)
}

// end gives back what the connection held.
func (h *connHold) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	h.hold.Release()
}

// Write writes to the connection and, over HTTP/2, notes that it waits for the client.
func (t *trackedConn) Write(b []byte) (int, error) {
	h := &t.memory
	if !t.http2.Load() {
		t.core.giveBack()
		return t.writeParts(b)
	}
	h.waiting.Add(1)
	n, err := t.writeParts(b)
	h.waiting.Add(-1)
	h.written.Add(int64(n))
	h.left()
	return n, err
}
