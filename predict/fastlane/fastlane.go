// Package fastlane answers plain requests on the connection itself, for less than half of what
// net/http costs.
//
// A [Lane] is a net.Listener between a listening socket and an http.Server. It reads each new
// connection, through TLS if it has to, and answers as long as it understands every byte: with one
// goroutine a connection, one read and one write a request, and one write for requests that were
// pipelined. At the first thing it does not understand, it gives the connection, unread bytes
// first, to the http.Server through Accept and never touches it again. It understands requests of
// at most [MaxRequest] bytes of this form:
//
//	POST path HTTP/1.1 CRLF           method and path of a Route, single spaces
//	GET path[?query] HTTP/1.1 CRLF    a query only if the path ends in a segment of choice
//	name ":" value CRLF               headers: a token of up to 64 bytes, a value of 0x20 to 0x7E
//	CRLF
//	body                              of a POST, Content-Length bytes that Route.Answer understands
//
// Headers follow these rules:
//   - Host is there once and consists of letters, digits and -._:[].
//   - Content-Length is there once in a POST and has one to four digits; a GET has none.
//   - Content-Type is application/json, with or without charset=utf-8. It is there at most once,
//     and in every POST.
//   - Connection, if it is there, is keep-alive or close.
//   - Authorization, X-Api-Key, X-Forwarded-For, Cookie, Accept and If-None-Match are there at most
//     once. Route.Answer judges them.
//   - X-Request-Id and Traceparent are there at most once, and only if Config can validate them.
//   - Headers that may change the answer or the connection are not there: Transfer-Encoding, TE,
//     Trailer, Expect, Upgrade, HTTP2-Settings, Content-Encoding, Proxy-Authorization, Prefer,
//     Inference-Header-Content-Length, Range and other If-*, nor Origin unless Config.AnyOrigin
//     says that it changes nothing, nor an Accept-Encoding that may refuse an answer without a
//     coding.
//
// Up to four bytes of CR and LF may come before a request. net/http skips them only after a POST,
// so the lane hides from it those that come first on a connection.
//
// The lane refuses nothing by itself. Every other request, HTTP/1.0, HTTP/2, a failed handshake and
// every error that Route.Answer does not send are left to net/http. For any input, a client gets
// the bytes that net/http and its handler would have sent, except for Date and X-Request-Id. One
// difference is known: after a request, the preface of HTTP/2 starts a conversation, where net/http
// would answer 404 if it had seen that request.
//
// The lane is not a complete server. It knows nothing of predictions, keys, limits or logs.
package fastlane

import (
	"cmp"
	"context"
	"crypto/tls"
	"iter"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// MaxRequest is the longest request that the lane answers, headers and body together. Plain
// requests have 200 to 600 bytes. The bound is what a slow connection can make the lane hold.
const MaxRequest = 4096

// Config says what a lane answers and how. Listener and Server are required.
type Config struct {
	// Listener accepts the connections, without TLS.
	Listener net.Listener

	// Shared means that another process has the socket too and accepts what this lane does not.
	// Then connections that wait when the lane stops are left to it.
	Shared bool

	// Server gets the connections that the lane hands over. New reads its four timeouts, which the
	// lane keeps too.
	Server *http.Server

	// TLS, if it is not nil, is what the lane speaks with every client. Connections that choose
	// HTTP/2 are handed over as a *tls.Conn, all others as connections without TLS: for their
	// requests http.Request.TLS is nil.
	TLS *tls.Config

	// Routes are the requests to answer. Without any, every connection is handed over unread;
	// MaxConns and TLS still hold.
	Routes []Route

	// NewScratch makes the Scratch of requests; nil means that it is nil.
	NewScratch func() any

	// Header is sent with every reply, in canonical form and without Content-Length; nil means
	// Content-Type: application/json.
	Header http.Header

	// RequestID appends a new request id to b; nil means that replies have no X-Request-Id.
	RequestID func(b []byte) []byte

	// ValidID reports whether a client's X-Request-Id is good enough to be sent back in place of a
	// new one. Other requests that have one are handed over; nil means all of them.
	ValidID func(id []byte) bool

	// ValidTrace does the same for Traceparent. If it is nil, requests with Tracestate are handed
	// over too.
	ValidTrace func(trace []byte) bool

	// AnyOrigin says that the header Origin changes no answer. Else requests with it are handed
	// over.
	AnyOrigin bool

	// Draining reports whether replies must say Connection: close; nil means never.
	Draining func() bool

	// MaxConns bounds the open connections, those handed over included; zero means no bound. For
	// a further one the connection that has been idle longest makes room: for as long as that
	// takes there are up to MaxLeaving more. If none is idle, the new one is closed at once, so
	// that its client does not wait in the backlog.
	MaxConns int

	// HandedOver lists the connections that were handed over, so that they make room too. Nil
	// means that they do not.
	HandedOver iter.Seq[Evictable]

	// MaxFields bounds the header fields of a request; zero means no bound. Requests with more are
	// handed over.
	MaxFields int

	// MaxAge is the age from which on a connection ends with its next reply, which then says
	// Connection: close; zero means no bound. Each connection's own differs by up to a tenth, so
	// that clients which came together do not come back together.
	MaxAge time.Duration

	// Fault gets the errors of the lane itself: a failed accept, which is tried again, or a panic
	// in one of these functions, after which the connection is handed over. Nil drops them.
	Fault func(error)
}

// Lane is a listener that answers plain requests and gives all other connections to Accept. Its
// methods are safe for concurrent use.
type Lane struct {
	cfg     Config
	grammar grammar

	// of Server; none if not positive
	headerTimeout, readTimeout, writeTimeout, idleTimeout, shakeTimeout time.Duration

	pool   sync.Pool // of *buffers
	epoch  time.Time // the zero of all durations that are points in time
	cached atomic.Pointer[cachedDate]

	start      sync.Once
	handoffs   chan net.Conn
	stopping   atomic.Bool
	halt       chan struct{} // closed after stopping is set
	room       chan struct{} // of size 1: a connection was closed or will not be
	acceptDone chan struct{} // closed when accepting ends, so that conns can only shrink
	closed     chan struct{} // closed by end when Accept has nothing more to return
	graceFirst atomic.Int64  // as a time.Duration; see the constant
	end        func()

	evicting sync.Mutex // guards the next two
	order    order
	storm    storm

	mu    sync.Mutex // guards what follows
	conns map[*conn]struct{}
	empty chan struct{} // closed when conns is empty for good; nil before Shutdown

	counts
}

// New returns a lane, which accepts connections from the first call of Accept on.
func New(cfg Config) *Lane {
	if cfg.Header == nil {
		cfg.Header = http.Header{"Content-Type": {"application/json"}}
	}
	if cfg.Fault == nil {
		cfg.Fault = func(error) {}
	}
	s := cfg.Server
	l := &Lane{
		cfg:           cfg,
		grammar:       grammar{nil, cfg.MaxFields, cfg.ValidID, cfg.ValidTrace, cfg.AnyOrigin},
		headerTimeout: cmp.Or(s.ReadHeaderTimeout, s.ReadTimeout),
		readTimeout:   s.ReadTimeout,
		writeTimeout:  s.WriteTimeout,
		idleTimeout:   cmp.Or(s.IdleTimeout, s.ReadTimeout),
		epoch:         time.Now().Add(-time.Nanosecond), // so that no point in time is 0
		handoffs:      make(chan net.Conn),
		halt:          make(chan struct{}),
		room:          make(chan struct{}, 1),
		acceptDone:    make(chan struct{}),
		closed:        make(chan struct{}),
		conns:         make(map[*conn]struct{}),
	}
	l.end = sync.OnceFunc(func() { close(l.closed) })
	for _, t := range []time.Duration{s.ReadHeaderTimeout, s.ReadTimeout, s.WriteTimeout} {
		if t > 0 && (l.shakeTimeout == 0 || t < l.shakeTimeout) {
			l.shakeTimeout = t
		}
	}
	l.pool.New = func() any {
		b := new(buffers)
		if cfg.NewScratch != nil {
			b.request.Scratch = cfg.NewScratch()
		}
		return b
	}
	l.grammar.routes = l.newRoutes(cfg.Routes)
	return l
}

// Accept waits for the next connection for net/http.
func (l *Lane) Accept() (net.Conn, error) {
	l.start.Do(func() {
		go func() {
			l.acceptAll()
			close(l.acceptDone)
			if !l.stopping.Load() {
				l.Close() // the listener was closed from outside
			}
		}()
	})
	select {
	case nc := <-l.handoffs:
		return nc, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Addr returns the address of the listener.
func (l *Lane) Addr() net.Addr { return l.cfg.Listener.Addr() }

// Close stops accepting. It closes idle connections of the lane at once and the others after their
// answer. Connections that would have to be handed over are closed too, so call Shutdown first
// where that matters.
func (l *Lane) Close() error {
	err := l.stop()
	l.end()
	return err
}

// Shutdown stops accepting, closes idle connections, and waits until all others are answered or
// handed over; then Accept ends. Call it before http.Server.Shutdown, which takes care of the
// connections handed over. If ctx ends first, Shutdown closes the rest and returns ctx's error.
func (l *Lane) Shutdown(ctx context.Context) error {
	first := graceFirst
	if end, ok := ctx.Deadline(); ok {
		first = min(first, time.Until(end)/2)
	}
	l.graceFirst.Store(int64(first))
	err := l.stop()
	l.mu.Lock()
	if l.empty == nil {
		l.empty = make(chan struct{})
		if len(l.conns) == 0 {
			close(l.empty)
		}
	}
	l.mu.Unlock()
	select {
	case <-l.empty:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		go c.socket.Close() // it waits if the connection is in an Answer
	}
	l.end()
	return err
}

// stop ends accepting and wakes idle connections. A client that the system has let in may have sent
// a request, so first no new one gets in, where the system can do that, and those that wait for
// Accept are served.
func (l *Lane) stop() (err error) {
	if l.stopping.Swap(true) {
		<-l.acceptDone
		return nil
	}
	close(l.halt)
	l.start.Do(func() { close(l.acceptDone) })
	if !l.cfg.Shared {
		l.acceptLast()
	}
	err = l.cfg.Listener.Close()
	<-l.acceptDone
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		if !c.busy {
			wake := min(c.wake, l.now()+time.Duration(l.graceFirst.Load()))
			c.socket.SetReadDeadline(l.epoch.Add(max(l.now()+graceRead, wake)))
		}
	}
	return err
}
