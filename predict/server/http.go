package server

import (
	"log"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	maxStreams = 100 // of one HTTP/2 connection at once, where the limiter is large enough
	// maxFrame is the least that HTTP/2 allows: for a frame of a megabyte its first bytes suffice
	// to make net/http take the megabyte.
	maxFrame = 16 << 10
)

// newHTTPServer returns a server that speaks HTTP/1 only, with the limits of cfg. It must accept
// from the listener of conns.
func newHTTPServer(cfg *Config, h http.Handler, conns *connTracker) *http.Server {
	conns.head = headCounter{max: cfg.MaxHeaderFields + spareLines, notHTTP2: true}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	errorLog := &throttledLog{logger: cfg.Logger, now: time.Now}
	return &http.Server{
		Protocols: protocols,
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams,
			MaxReadFrameSize:              maxFrame,
			MaxReceiveBufferPerConnection: streamWindow,
			MaxReceiveBufferPerStream:     streamWindow},
		Handler:                      h,
		ReadHeaderTimeout:            cfg.ReadHeaderTimeout,
		ReadTimeout:                  cfg.ReadTimeout,
		WriteTimeout:                 cfg.WriteTimeout,
		IdleTimeout:                  cfg.IdleTimeout,
		MaxHeaderBytes:               cfg.MaxHeaderBytes + headSlack, // see limitHead
		ConnState:                    conns.track,
		ConnContext:                  conns.withConn,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     log.New(errorLog, "", 0),
	}
}

func newPublicServer(cfg *Config, h http.Handler, conns *connTracker,
	creds *credentials, h2 *http2Service) *http.Server {
	server := newHTTPServer(cfg, h, conns)
	conns.head.notHTTP2 = !cfg.H2C
	if cfg.TLSCert != "" {
		server.TLSConfig = creds.cert.config() // for the lane, which makes the handshakes
	}
	server.Protocols.SetUnencryptedHTTP2(cfg.H2C)
	h2.takeOver(server)
	return server
}

// isTooOld reports whether the connection of a request should end with its answer. In HTTP/2 one
// connection has many requests, and net/http would end it before this answer.
func isTooOld(r *http.Request) bool {
	t, _ := r.Context().Value(connKey{}).(*trackedConn)
	if t == nil || r.ProtoMajor != 1 {
		return false
	}
	c, ok := t.Conn.(interface{ Expired() bool })
	return ok && c.Expired()
}

// newAdminServer keeps the usual timeouts, whatever is set for clients of the public port.
func newAdminServer(public *Config, h http.Handler, conns *connTracker) *http.Server {
	cfg := Default()
	cfg.Logger = public.Logger
	cfg.MaxHeaderFields, cfg.MaxHeaderBytes = public.MaxHeaderFields, public.MaxHeaderBytes
	server := newHTTPServer(&cfg, h, conns)
	server.WriteTimeout = 2 * time.Minute // a reload of long files is answered at its end
	return server
}

// A throttledLog passes on at most one line a second: clients cause what net/http logs.
type throttledLog struct {
	logger  *slog.Logger
	now     func() time.Time
	next    atomic.Int64 // unix nanoseconds before which lines are dropped
	dropped atomic.Int64
}

func (t *throttledLog) Write(line []byte) (int, error) {
	now, next := t.now().UnixNano(), t.next.Load()
	if now < next || !t.next.CompareAndSwap(next, now+int64(time.Second)) {
		t.dropped.Add(1)
		return len(line), nil
	}
	t.logger.Warn("http", "error", string(line[:max(0, len(line)-1)]), "dropped", t.dropped.Swap(0))
	return len(line), nil
}
