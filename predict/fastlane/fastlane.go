// Package fastlane answers plain prediction requests on the connection itself, at about half of
// what net/http costs.
//
// A [Lane] is a net.Listener to be put between a listening socket and an http.Server. It reads each
// new connection and, as long as every byte is one that it knows, answers: one goroutine a
// connection, one read and one write a request, pipelined requests together in one write. At the
// first thing that it does not know it hands the connection, unread bytes first, to the http.Server
// through Accept and never looks at it again. What it knows is a request of at most [MaxRequest]
// bytes of this form:
//
//	POST <target> HTTP/1.1 CRLF       the target exactly, single spaces
//	name ":" value CRLF               any number of headers: the name a token of up to 64 bytes, the value of 0x20 to 0x7E
//	CRLF
//	body                              of Content-Length bytes, for which Config.Answer has an answer
//
// where Host stands once, of letters, digits and -._:[] alone; Content-Length once, of one to four
// digits; Content-Type once, application/json with nothing or charset=utf-8 behind it; Connection,
// if there, is keep-alive; and no header is one that may change what the answer is or how the
// connection goes on: those are Transfer-Encoding, TE, Trailer, Expect, Upgrade, HTTP2-Settings,
// Content-Encoding, Origin, Range, If-* and Config.Special. Authorization, X-Api-Key and
// X-Forwarded-For may stand once each, for Config.Answer to judge, X-Request-Id and Traceparent if
// Config knows what a good one is. Lines end in CRLF alone. As in net/http, up to four bytes of CR
// and LF may precede a request that follows another.
//
// So the lane refuses nothing by itself: every other route, HTTP/1.0, HTTP/2, TLS and every error
// but those that Answer knows are net/http's, and for any bytes whatever the client gets what
// net/http and the handler would have sent, but for Date and X-Request-Id. It is not a server of
// its own, does no I/O but on connections, and knows nothing of predictions, keys or rates. One
// difference is known: after a request the preface of HTTP/2 begins a conversation where net/http,
// had it seen that request, would answer 404.
package fastlane

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// MaxRequest is the longest request that the lane answers, headers and body together. A plain
// request has 200 to 600 bytes; what is longer is rare and can afford net/http, and the bound is
// what a slow connection can make the lane hold.
const MaxRequest = 4096

// Config says what a lane answers and how. Listener and Server are required.
type Config struct {
	// Listener gives the connections. It must give plain ones: a lane on top of TLS would answer,
	// one below it can not.
	Listener net.Listener

	// Server is what connections are handed to. The lane reads its four timeouts in New and keeps
	// to them.
	Server *http.Server

	// Answer gives what the handler would send for a request, or false for what is left to the
	// handler, which then sees it as if nobody had before. It is called by many goroutines and must
	// not keep or change what it is given. Nil hands over every connection unread; the cap still
	// holds.
	Answer func(Request) (a Answer, ok bool)

	// Target is the request target that is answered; empty means /predict.
	Target string

	// Header is what the handler sets on every answer, without Content-Length; nil means
	// Content-Type: application/json.
	Header http.Header

	// Field names a further header of a 200, whose value Answer gives each time. By name it comes
	// between Content-Length and X-Request-Id. Empty sends none.
	Field string

	// Special names further headers whose requests are left to net/http.
	Special []string

	// RequestID appends a new request id to b; nil sends no X-Request-Id.
	RequestID func(b []byte) []byte

	// ValidID tells whether a request's own X-Request-Id is sent back instead of a new one, as the
	// handler then does too. Proxies put one on every request. A request with a bad one, or with
	// two, is net/http's; nil means all with one are.
	ValidID func(id []byte) bool

	// ValidTrace likewise tells whether a Traceparent is good, which then goes to Observe;
	// Tracestate does not matter then.
	ValidTrace func(trace []byte) bool

	// Draining tells whether answers now say Connection: close, as the handler's then do too; nil
	// means never.
	Draining func() bool

	// MaxConns bounds the connections that are open, those handed over included; zero means no
	// bound. One more is accepted and closed, so that its client learns of it at once rather than
	// wait in the backlog.
	MaxConns int

	// Observe is told of each request that the lane has answered; nil costs nothing. It must not
	// keep ID and Trace.
	Observe func(Exchange)

	// Fault is told of what goes wrong in the lane itself: an accept that failed and will be tried
	// again, a panic in one of these functions, whose request is then net/http's. Nil drops it.
	Fault func(error)
}

// Answer is a 200, or with Refuse anything else.
type Answer struct {
	Body   []byte // must not change afterwards
	Field  []byte // the value of Config.Field
	Client string // for Observe

	// Refuse writes what the handler does, to a header that has Config.Header and, with
	// Config.RequestID, X-Request-Id already. It is called at once, and free to allocate: who is
	// refused has no hurry.
	Refuse func(http.ResponseWriter)
}

// Exchange is a request that was answered.
type Exchange struct {
	Remote   net.Addr
	Client   string
	Status   int
	ID       []byte        // the X-Request-Id sent, or empty
	Trace    []byte        // the request's Traceparent, or empty
	Duration time.Duration // from the bytes of the request being there to those of the answer
	Request  int           // bytes of the request, headers included
	Body     int           // bytes of the answer's body
}

// Lane is a listener that answers plain requests and gives all other connections to Accept. Its
// methods are safe for concurrent use.
type Lane struct {
	cfg     Config
	grammar grammar
	heads   [2]head // of a 200 that keeps the connection, and of one that closes it
	headerTimeout, readTimeout, writeTimeout,
	idleTimeout time.Duration

	works sync.Pool // of *work

	epoch time.Time // what the durations since are measured from
	stamp atomic.Pointer[stamp]

	start    sync.Once
	handed   chan net.Conn
	stopping atomic.Bool
	halt     chan struct{} // closed when stopping is set
	accepted chan struct{} // closed when nothing more will be accepted, so that conns only shrinks
	closed   chan struct{} // closed when Accept has nothing more to give

	mu    sync.Mutex // guards what follows
	conns map[*conn]struct{}
	empty chan struct{} // closed when conns is empty for good; nil before Shutdown

	counts counts
}

// New returns a lane. It accepts connections from the first call of Accept on.
func New(cfg Config) *Lane {
	if cfg.Target == "" {
		cfg.Target = "/predict"
	}
	if cfg.Header == nil {
		cfg.Header = http.Header{"Content-Type": {"application/json"}}
	}
	s := cfg.Server
	l := &Lane{
		cfg:     cfg,
		grammar: newGrammar(cfg.Target, cfg.Special),
		heads: [2]head{newHead(http.StatusOK, cfg.Header, cfg.Field, false),
			newHead(http.StatusOK, cfg.Header, cfg.Field, true)},
		headerTimeout: s.ReadHeaderTimeout,
		readTimeout:   s.ReadTimeout,
		writeTimeout:  s.WriteTimeout,
		idleTimeout:   s.IdleTimeout,
		epoch:         time.Now(),
		handed:        make(chan net.Conn),
		halt:          make(chan struct{}),
		accepted:      make(chan struct{}),
		closed:        make(chan struct{}),
		conns:         make(map[*conn]struct{}),
	}
	l.grammar.validID, l.grammar.validTrace = cfg.ValidID, cfg.ValidTrace
	l.works.New = func() any { return new(work) }
	// As http.Server has it: what is not set is ReadTimeout, and what is negative is none.
	if l.headerTimeout == 0 {
		l.headerTimeout = l.readTimeout
	}
	if l.idleTimeout == 0 {
		l.idleTimeout = l.readTimeout
	}
	return l
}

// Accept waits for the next connection that is net/http's to serve.
func (l *Lane) Accept() (net.Conn, error) {
	l.start.Do(func() {
		go func() {
			l.acceptAll()
			close(l.accepted)
			if !l.stopping.Load() {
				l.Close() // the listener was closed by another hand
			}
		}()
	})
	select {
	case nc := <-l.handed:
		return nc, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Addr is the address of the listener.
func (l *Lane) Addr() net.Addr { return l.cfg.Listener.Addr() }

// Close stops accepting. Connections of the lane that wait for a request are closed, the others
// after their answer; what would have to be handed over is closed too, so call Shutdown first where
// that matters.
func (l *Lane) Close() error {
	err := l.stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closeLocked()
	return err
}

// Shutdown stops accepting, closes connections that wait for a request, and waits until those in a
// request are answered or handed over; then Accept ends. So it goes before http.Server.Shutdown,
// which takes care of those handed over. When ctx ends first it closes the rest and returns ctx's
// error.
func (l *Lane) Shutdown(ctx context.Context) error {
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
		go c.nc.Close() // waits for Config.Answer where the connection is in there
	}
	l.closeLocked()
	return err
}

// stop ends accepting and wakes connections that wait. Connections that the system has already
// taken for the listener are still accepted where it can be given a deadline: a client has no way
// to know that nobody will look at them.
func (l *Lane) stop() (err error) {
	if l.stopping.Swap(true) {
		<-l.accepted
		return nil
	}
	close(l.halt)
	l.start.Do(func() { close(l.accepted) })
	if ln, ok := l.cfg.Listener.(interface{ SetDeadline(time.Time) error }); ok {
		ln.SetDeadline(time.Now().Add(lastLook))
		<-l.accepted
	}
	err = l.cfg.Listener.Close()
	<-l.accepted
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		if !c.handing {
			c.nc.SetReadDeadline(time.Now().Add(lastLook))
		}
	}
	return err
}

func (l *Lane) closeLocked() {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
}

// now is the time since the lane was made, which costs half of what time.Now does.
func (l *Lane) now() time.Duration { return time.Since(l.epoch) }

// fault tells Config.Fault, if there is one.
func (l *Lane) fault(err error) {
	if l.cfg.Fault != nil {
		l.cfg.Fault(err)
	}
}
