package server

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tickercast/predict"
	"tickercast/predict/internal/limits"
	"tickercast/predict/internal/ratelimit"
)

// What net/http makes of what a client sends, measured with bench/hostile. The handlers count the
// rest, in package predict.
const (
	// A head takes its bytes twice, as they were read and as strings, and for each field an entry
	// of the map with a slice: 12 kB of the shortest fields take 280.
	headFactor, fieldBytes = 2, 128
	// freeHead is a head that is not counted: 2 kB in 30 fields.
	freeHead = 8 << 10

	// A stream of HTTP/2 has a goroutine and a buffer for its answer. The connection itself takes
	// no more than others, as long as its frames are short and read.
	streamBytes = 24 << 10
	// While a client does not read, net/http keeps its answers to pings and settings: 200 bytes for
	// a frame of 17.
	backlogFactor = 12
	// streamWindow is how much of a body HTTP/2 takes before a handler reads it.
	streamWindow = 64 << 10

	bufferBytes = 4 << 10 // of net/http, between a connection and what parses it
)

// hold returns what counts the memory of the request that w answers.
func hold(w http.ResponseWriter) *limits.Hold {
	if rec, ok := w.(*statusRecorder); ok {
		return &rec.hold
	}
	return nil
}

// Client is the address of the client behind trusted proxies.
func (r *statusRecorder) Client() netip.Addr {
	peer, _ := netip.ParseAddrPort(r.request.RemoteAddr) // without TCP there is no address
	return r.proxies.Client(peer.Addr(),
		strings.Join(r.request.Header[ratelimit.ForwardedFor], ","))
}

// Stop ends the request's connection, or over HTTP/2 only its stream while the handler runs.
func (r *statusRecorder) Stop() {
	r.ending.Lock()
	defer r.ending.Unlock()
	if r.ended {
		r.conn.Stop() // net/http allows no use of the ResponseWriter any more
		return
	}
	c := http.NewResponseController(r.ResponseWriter)
	past := time.Unix(1, 0)
	c.SetReadDeadline(past)
	c.SetWriteDeadline(past)
}

// openHold begins to count what a request holds. If there is no room for it, it answers and returns
// false.
func (s *Server) openHold(rec *statusRecorder) bool {
	if rec.request.ProtoMajor < 2 {
		s.limiter.Open(&rec.hold, rec, limits.FreeBytes)
		return true // the connection counts the head
	}
	return s.openStream(rec)
}

// closeHold gives back what a request held. It reports whether r is not needed to do so later.
func (r *statusRecorder) closeHold() bool {
	if r.conn == nil {
		r.hold.Release()
		return true
	}
	r.ending.Lock()
	r.ended = true
	r.ending.Unlock()
	return r.conn.memory.leave(r)
}

// connHold counts what net/http holds for a connection: the head of a request from its first byte
// until the request is answered, or the buffers of HTTP/2.
type connHold struct {
	hold  limits.Hold
	last  int  // what the last read would count as a head, if it may have brought more than one
	read  bool // since the connection became idle
	begun int  // bytes of preface that have come; -1: others have

	// of HTTP/2
	backlog int          // bytes that came while a write waited for the client
	waiting atomic.Int32 // writes
	written atomic.Int64 // bytes that the client has taken since backlog was looked at
	mu      sync.Mutex   // guards hold too, which two goroutines of HTTP/2 use
	closed  bool
	leaving []*statusRecorder // of streams that end with the write that waits
}

// Client is the peer, but no proxy: before the end of a head nothing is known of its clients.
func (t *trackedConn) Client() netip.Addr {
	tcp, ok := t.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	if addr := tcp.AddrPort().Addr(); !t.tracker.proxies.Trust(addr) {
		return addr
	}
	return netip.Addr{}
}

// Stop ends the connection.
func (t *trackedConn) Stop() { t.cut() }

// count counts what a read has brought. head reports whether no handler runs yet.
func (t *trackedConn) count(b []byte, head bool) error {
	h := &t.memory
	if t.http2.Load() {
		return nil // see http2Conn.Read
	}
	if t.tracker.h2c && h.begun >= 0 {
		next := preface[h.begun:min(h.begun+len(b), len(preface))]
		if h.begun += len(next); !bytes.HasPrefix(b, []byte(next)) {
			h.begun = -1
		} else if h.begun == len(preface) {
			t.becomeHTTP2()
			return nil
		}
	}
	h.read = true
	mine, rest := b[:0], b
	if head {
		mine, rest = splitHead(b)
	}
	if h.last = 0; len(b) <= bufferBytes {
		h.last = headBytes(rest)
	}
	if !head {
		return nil // another goroutine may be ending the connection
	}
	return h.hold.Grow(headBytes(mine))
}

// splitHead splits bytes where a head ends in them.
func splitHead(b []byte) (head, rest []byte) {
	if i := bytes.Index(b, []byte("\r\n\r\n")); i >= 0 {
		return b[:i], b[i:]
	}
	return b, nil
}

// headBytes is what net/http makes of bytes of a head.
func headBytes(b []byte) int {
	return headFactor*len(b) + fieldBytes*bytes.Count(b, []byte("\n"))
}

// countRest counts the next head, when it came with the request before and so is read already.
func (t *trackedConn) countRest() {
	if h := &t.memory; !h.read && !t.http2.Load() && h.hold.Grow(h.last) != nil {
		t.Conn.Close()
	}
}

// refusal is the answer to a head for which there is no room, as a handler would give it.
var refusal = func() []byte {
	body := predict.ErrOverload().AppendJSON(nil)
	return fmt.Appendf(nil, "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"+
		"Content-Length: %d\r\nContent-Type: application/json\r\nRetry-After: 1\r\n\r\n%s",
		len(body), body)
}()

// refuse answers a head for which there is no room, where that is possible.
func (t *trackedConn) refuse() {
	if !t.http2.Load() {
		t.Conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		t.Conn.Write(refusal)
		t.CloseWrite()
	}
}
