package server

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// An http2Service is the HTTP/2 of the public port. It puts a connection of its own between
// net/http's HTTP/2 and the network, because of how net/http ends one: an answer with Connection:
// close, or Shutdown, sends GOAWAY at once, whatever is under way. The server still answers that,
// but many clients give it up.
type http2Service struct {
	// engine is net/http's HTTP/2. It accepts nothing. It has the settings of the connections that
	// it is given, and Shutdown sends each of them a GOAWAY.
	engine *http.Server
	conns  *connTracker
	ending atomic.Bool

	mu   sync.Mutex
	open map[*http2Conn]struct{}
}

// unsealed is how net/http names its HTTP/2 for connections without TLS, whose preface was read.
const unsealed = "unencrypted_http2"

// headRoom is how much longer than a head may be is what net/http's HTTP/2 still decodes, so that
// limitHead can refuse it. What is longer is a connection error. It is as much as many clients can
// send, those with nghttp2 among them.
const headRoom = 64 << 10

func newHTTP2Service(cfg *Config, conns *connTracker, streams int) *http2Service {
	s := &http2Service{
		engine: newHTTPServer(cfg, nil, new(connTracker)),
		conns:  conns,
		open:   map[*http2Conn]struct{}{},
	}
	s.engine.Protocols.SetHTTP2(true)
	s.engine.Protocols.SetUnencryptedHTTP2(true)
	s.engine.MaxHeaderBytes += headRoom
	s.engine.HTTP2.MaxConcurrentStreams = streams
	s.engine.ConnContext = nil // it is that of the connection below
	s.engine.ConnState = func(nc net.Conn, state http.ConnState) {
		nc.(interface{ enter(http.ConnState) }).enter(state)
	}
	s.engine.Serve(noListener{}) // prepares HTTP/2, and returns because there is nothing to accept
	return s
}

// A noListener is closed.
type noListener struct{}

func (noListener) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (noListener) Close() error              { return nil }
func (noListener) Addr() net.Addr            { return new(net.TCPAddr) }

// takeOver makes s serve the connections of server that speak HTTP/2, and offers it to clients with
// TLS. It does neither if HTTP/2 is turned off with GODEBUG.
func (s *http2Service) takeOver(server *http.Server) {
	if s.engine.TLSNextProto[unsealed] == nil {
		return
	}
	if server.TLSConfig != nil {
		server.Protocols.SetHTTP2(true)
		server.TLSConfig.NextProtos = append([]string{"h2"}, server.TLSConfig.NextProtos...)
	}
	server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		"h2": func(_ *http.Server, c *tls.Conn, h http.Handler) {
			if !readPreface(s.conns.of(c), s.engine.ReadHeaderTimeout) {
				return
			}
			own := s.newConn(c, h)
			s.serve(own, sealedHTTP2Conn{own, c.ConnectionState()})
		},
		unsealed: func(_ *http.Server, c *tls.Conn, h http.Handler) {
			nc := c.NetConn().(interface{ UnencryptedNetConn() net.Conn }).UnencryptedNetConn()
			own := s.newConn(nc, h)
			s.serve(own, own)
		},
	}
}

// preface is how each client begins HTTP/2.
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

func readPreface(c net.Conn, timeout time.Duration) bool {
	var got [len(preface)]byte
	c.SetReadDeadline(time.Now().Add(timeout))
	defer c.SetReadDeadline(time.Time{})
	_, err := io.ReadFull(c, got[:])
	return err == nil && string(got[:]) == preface
}

// newConn returns a connection over nc, which conns knows.
func (s *http2Service) newConn(nc net.Conn, h http.Handler) *http2Conn {
	t := s.conns.of(nc)
	t.refusing = make(chan struct{}, maxRefusing)
	return &http2Conn{Conn: t, service: s, tracked: t, handler: h, since: time.Now(),
		track: func(state http.ConnState) { s.conns.track(nc, state) }}
}

// serve serves a connection to its end. nc is the same, as net/http is to see it.
func (s *http2Service) serve(c *http2Conn, nc net.Conn) {
	s.mu.Lock()
	s.open[c] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.open, c)
	}()
	s.engine.TLSNextProto[unsealed](s.engine, tls.Client(unsealedConn{nc: nc}, nil), c)
}

// An unsealedConn is how net/http takes a connection that is no *tls.Conn in place of one.
type unsealedConn struct {
	net.Conn // nil, as only the next method is called
	nc       net.Conn
}

func (c unsealedConn) UnencryptedNetConn() net.Conn { return c.nc }

// A sealedHTTP2Conn says what TLS was agreed on. net/http refuses some ciphers for HTTP/2.
type sealedHTTP2Conn struct {
	*http2Conn
	state tls.ConnectionState
}

func (c sealedHTTP2Conn) ConnectionState() tls.ConnectionState { return c.state }

const (
	// requestWait is how long after the end of a drain's delay a connection that is idle may send
	// one more request, and how long a new connection may take for its first.
	requestWait = 250 * time.Millisecond
	// newcomerWait bounds how long all others wait for those that are new.
	newcomerWait = time.Second
	lookInterval = 25 * time.Millisecond
)

// end ends all connections, also those that turn out to speak HTTP/2 until ctx ends. Each gets one
// GOAWAY: with the next answer after which nothing is under way, or else after requestWait.
// net/http closes it a second after its last answer, if the client has not.
func (s *http2Service) end(ctx context.Context) {
	s.ending.Store(true)
	s.engine.SetKeepAlivesEnabled(false) // sends GOAWAY when the last stream has ended
	for last := time.Now(); ; {
		select {
		case <-time.After(lookInterval):
		case <-ctx.Done():
			return
		}
		waited := time.Since(last)
		if waited >= newcomerWait || waited >= requestWait && !s.awaitsRequest() {
			s.engine.Shutdown(ctx) // sends GOAWAY where there has been none, and waits for nothing
			last = time.Now()
		}
	}
}

// awaitsRequest reports whether the first request on some connection may be on its way.
func (s *http2Service) awaitsRequest() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		if c.awaitsRequest() {
			return true
		}
	}
	return false
}
