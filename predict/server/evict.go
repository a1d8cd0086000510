package server

import (
	"io"
	"iter"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"tickercast/predict/fastlane"
)

// evictable lists the connections for a lane that needs room.
func (c *connTracker) evictable() iter.Seq[fastlane.Evictable] {
	return func(yield func(fastlane.Evictable) bool) {
		for _, t := range c.all {
			if !yield(t) {
				return
			}
		}
	}
}

// A turn tells whose turn it is on a connection.
type turn struct {
	working  atomic.Int32 // handlers that do not wait for the client
	since    time.Time    // of the last answer, or else the connection
	answers  int
	progress time.Time // when bytes last went either way, or a handler ended
	left     func()    // to be called when the connection, which makes room, is closed or stays
}

// Waits implements fastlane.Evictable. A connection of HTTP/2 is between two requests when it has
// no open stream.
func (t *trackedConn) Waits() (w fastlane.Waiting, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w = fastlane.Waiting{Since: t.since, Requests: t.answers}
	if t.begunLocked() {
		w.Progress = t.progress
	}
	return w, t.waitsLocked()
}

func (t *trackedConn) waitsLocked() bool {
	return t.left == nil && t.state != http.StateClosed && t.working.Load() == 0
}

// Evict implements fastlane.Evictable. Between two requests it uses the same short read that ends
// connections in a drain.
func (t *trackedConn) Evict(left func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.waitsLocked() {
		return false
	}
	t.left = left
	if t.begunLocked() {
		t.cut()
	} else if t.final == notFinal {
		t.final, t.first = finalAsked, 0
		t.setDeadlineLocked()
	}
	return true
}

// endEvictionLocked notes that the connection is closed, or that it stays because a request has
// begun.
func (t *trackedConn) endEvictionLocked() {
	if t.left != nil {
		t.left()
		t.left = nil
	}
}

// Close closes the connection, which ends its eviction too.
func (t *trackedConn) Close() error {
	t.mu.Lock()
	leaving := t.left != nil
	t.mu.Unlock()
	if leaving {
		defer time.AfterFunc(fastlane.LeaveTime, t.cut).Stop()
	}
	t.core.end() // a client may keep TLS waiting for the end
	err := t.Conn.Close()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state = http.StateClosed
	t.endEvictionLocked()
	return err
}

// cut closes the connection without the goodbye of TLS, for which a client that reads nothing would
// have five seconds.
func (t *trackedConn) cut() {
	t.core.end()
	if c, ok := t.Conn.(interface{ NetConn() net.Conn }); ok {
		c.NetConn().Close()
		return
	}
	t.Conn.Close()
}

// maxPart is how much is written at a time, so that a client that reads slowly is told from one
// that does not read.
const maxPart = 32 << 10

func (t *trackedConn) writeParts(b []byte) (n int, err error) {
	for {
		wrote, err := t.Conn.Write(b[n:min(len(b), n+maxPart)])
		t.note()
		if n += wrote; err != nil || n == len(b) {
			return n, err
		}
	}
}

func (t *trackedConn) note() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.progress = time.Now()
}

// follow notes when handlers work for a request, and when they wait for the client to send its body
// or to read the answer.
func (s *Server) follow(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, ok := r.Context().Value(connKey{}).(*trackedConn)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		f, ok := s.follows.Get().(*followed)
		if !ok {
			f = new(followed)
		}
		*f = followed{w, r.Body, conn}
		r.Body = f
		conn.working.Add(1)
		f.giveBackCore() // what costs much waits for a slot
		defer func() {
			r.Body = f.ReadCloser // net/http asks it whether the client may still be sending
			conn.note()
			conn.working.Add(-1)
			*f = followed{}
			s.follows.Put(f)
		}()
		next.ServeHTTP(f, r)
	})
}

// followed is both sides of a request.
type followed struct {
	http.ResponseWriter
	io.ReadCloser
	conn *trackedConn
}

func (f *followed) Read(b []byte) (int, error) {
	f.conn.working.Add(-1)
	defer f.conn.working.Add(1)
	defer f.giveBackCore()
	return f.ReadCloser.Read(b)
}

// giveBackCore gives back the core with which the handler, or its read, has read the connection.
// Over HTTP/2 another goroutine reads it.
func (f *followed) giveBackCore() {
	if !f.conn.http2.Load() {
		f.conn.core.giveBack()
	}
}

func (f *followed) Write(b []byte) (int, error) {
	f.conn.working.Add(-1)
	defer f.conn.working.Add(1)
	return f.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (f *followed) Unwrap() http.ResponseWriter { return f.ResponseWriter }
