package server

import (
	"context"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	maxHeaderBytes = 8 << 10 // net/http adds 4 KiB of slack
	maxStreams     = 100     // of one HTTP/2 connection at once
)

// newHTTPServer returns a server that speaks HTTP/1 only, with the timeouts of cfg.
func newHTTPServer(cfg *Config, h http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	errorLog := &throttledLog{logger: cfg.Logger, now: time.Now}
	return &http.Server{
		Protocols:                    protocols,
		HTTP2:                        &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		Handler:                      h,
		ReadHeaderTimeout:            cfg.ReadHeaderTimeout,
		ReadTimeout:                  cfg.ReadTimeout,
		WriteTimeout:                 cfg.WriteTimeout,
		IdleTimeout:                  cfg.IdleTimeout,
		MaxHeaderBytes:               maxHeaderBytes,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     log.New(errorLog, "", 0),
	}
}

func newPublicServer(cfg *Config, h http.Handler, conns *connTracker,
	creds *credentials) *http.Server {
	server := newHTTPServer(cfg, h)
	server.ConnState = conns.track
	if cfg.MaxConnAge > 0 {
		server.ConnContext = func(ctx context.Context, nc net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, trackedIn(nc).Conn)
		}
	}
	if cfg.TLSCert != "" {
		server.TLSConfig = creds.cert.config()
		server.Protocols.SetHTTP2(true)
		return server
	}
	server.Protocols.SetUnencryptedHTTP2(cfg.H2C)
	return server
}

// connKey is where the context of a request has its connection, if that may get too old.
type connKey struct{}

// isTooOld reports whether the connection of a request should end with its answer. In HTTP/2 one
// connection has many requests, and net/http would end it before this answer.
func isTooOld(r *http.Request) bool {
	c, ok := r.Context().Value(connKey{}).(interface{ Expired() bool })
	return ok && r.ProtoMajor == 1 && c.Expired()
}

// newAdminServer keeps the usual timeouts, whatever is set for clients of the public port.
func newAdminServer(logger *slog.Logger, h http.Handler) *http.Server {
	cfg := Default()
	cfg.Logger = logger
	server := newHTTPServer(&cfg, h)
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
