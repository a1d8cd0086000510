package server

import (
	"context"
	"io"
	"net/http"
	"time"

	"tickercast/predict/internal/limits"
)

// ServeHTTP serves a request of the connection.
func (c *http2Conn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.begin()
	defer c.done()
	if r.Context().Err() != nil {
		return // the client has given the stream up, or is gone
	}
	x := &struct {
		body   http2Body
		writer http2Writer
	}{http2Body{ReadCloser: r.Body}, http2Writer{ResponseWriter: w, conn: c}}
	r.Body = &x.body
	c.handler.ServeHTTP(&x.writer, r)
	if r.ContentLength != 0 && !x.body.ended {
		rest := x.body.end[:] // where only that may be missing, of a body that is all here
		if x.body.n != r.ContentLength {
			http.NewResponseController(w).Flush() // the client may want to know at once
			rest = make([]byte, 1<<10)
		}
		c.drain(&x.body, rest)
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
	conn  *http2Conn
	begun bool
}

func (w *http2Writer) WriteHeader(status int) {
	last := false
	if status >= 200 && !w.begun {
		w.begun = true
		delete(w.Header(), "Connection")
		last = w.conn.service.ending.Load()
	}
	w.ResponseWriter.WriteHeader(status)
	if last && !w.conn.isCrowded() {
		http.NewResponseController(w.ResponseWriter).Flush()
		w.conn.awaitReader()
	}
}

const (
	// pongWait is how long a client may take to read the header of its last answer.
	pongWait = 250 * time.Millisecond
	// bodyWait is how long it then has to prepare for the body, or to ask for more.
	bodyWait = 10 * time.Millisecond
)

// awaitReader waits until the client has read the header of an answer and had time to act on it.
// The answer may be the last, with GOAWAY right behind it. Java's HttpClient gives it up if it is
// not ready for the body by then. And if another request comes in that time, the client sends them
// side by side, though this has not shown before.
func (c *http2Conn) awaitReader() {
	if p := c.ping(); p != nil {
		select {
		case <-p.read:
		case <-time.After(pongWait):
		}
	}
	time.Sleep(bodyWait)
}

func (c *http2Conn) isCrowded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.crowded
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
	end   [1]byte
	hold  limits.Hold // of what the wait for the rest takes
}

func (b *http2Body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	b.ended = b.ended || err != nil
	return n, err
}

// drainWait is how long a client may pause within a body that is not wanted.
const drainWait = time.Second

// drain reads what is left of a body into part, at most until the read timeout, if there is memory
// for the stream. An answer that ends before its request is followed by RST_STREAM. RFC 9113 wants
// clients to take the answer nevertheless, but some that are still sending drop it, httpx among
// them. It costs the server no more than what the client could send in any case.
func (c *http2Conn) drain(b *http2Body, part []byte) {
	c.tracked.tracker.limiter.Open(&b.hold, c.tracked, 0)
	defer b.hold.Release()
	if b.hold.Grow(streamBytes) != nil {
		return
	}
	pause := time.AfterFunc(drainWait, func() { b.Close() }) // a deadline would cost more
	defer pause.Stop()
	for !b.ended {
		b.Read(part)
		b.hold.Progress()
		pause.Reset(drainWait)
	}
}
