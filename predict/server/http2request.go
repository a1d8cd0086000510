package server

import (
	"context"
	"io"
	"net/http"
	"time"
)

// ServeHTTP serves a request of the connection.
func (c *http2Conn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.begin()
	defer c.done()
	began := time.Now()
	body := &http2Body{ReadCloser: r.Body}
	r.Body = body
	c.handler.ServeHTTP(&http2Writer{ResponseWriter: w, ending: c.service.ending.Load}, r)
	if r.ContentLength != 0 && !body.ended {
		control := http.NewResponseController(w)
		if r.ContentLength < 0 || body.n < r.ContentLength {
			control.Flush() // the client may want to know at once
		}
		body.drain(control, began.Add(c.service.engine.ReadTimeout))
	}
}

// BaseContext gives net/http the context of the connection.
func (c *http2Conn) BaseContext() context.Context {
	return c.handler.(interface{ BaseContext() context.Context }).BaseContext()
}

func (c *http2Conn) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open++
	c.asked = true
	c.crowded = c.crowded || c.open > 1
}

func (c *http2Conn) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
}

// An http2Writer leaves out Connection: close, by which other code ends a connection of HTTP/1 and
// which net/http would turn into a GOAWAY: only the stream ends.
type http2Writer struct {
	http.ResponseWriter
	ending func() bool
	begun  bool
}

// bodyWait is for how long an answer's body follows its header while the service ends. Java's
// HttpClient gives up an answer if it is not ready for the body when GOAWAY comes, which is right
// behind it.
const bodyWait = 10 * time.Millisecond

func (w *http2Writer) WriteHeader(status int) {
	if status >= 200 && !w.begun {
		w.begun = true
		delete(w.Header(), "Connection")
		if w.ending() {
			w.ResponseWriter.WriteHeader(status)
			http.NewResponseController(w.ResponseWriter).Flush()
			time.Sleep(bodyWait)
			return
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *http2Writer) Write(b []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the real one.
func (w *http2Writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// An http2Body knows how much of it has been read.
type http2Body struct {
	io.ReadCloser
	n     int64
	ended bool
}

func (b *http2Body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	b.ended = b.ended || err != nil
	return n, err
}

// drainWait is how long a client may pause within a body that is not wanted.
const drainWait = time.Second

// drain reads what is left of a body, at most until a time. An answer that ends before its request
// is followed by RST_STREAM. RFC 9113 wants clients to take the answer nevertheless, but some that
// are still sending drop it, httpx among them. It costs the server no more than what the client
// could send in any case.
func (b *http2Body) drain(control *http.ResponseController, until time.Time) {
	part := make([]byte, 16<<10)
	for !b.ended {
		by := time.Now().Add(drainWait)
		if by.After(until) {
			by = until
		}
		control.SetReadDeadline(by)
		b.Read(part)
	}
}
