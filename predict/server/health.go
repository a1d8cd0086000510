package server

import (
	"context"
	"net"
	"net/http"
	"runtime"
	"sync"
)

// maxHealthSocket is the longest name that a system takes, without the byte that makes it no path.
const maxHealthSocket = 107

// maxHealthConns bounds the connections to the health socket, which every process of the machine
// may open and which do not count among the others.
const maxHealthConns = 32

func (s *Server) healthHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", s.service.ServeHealth)
	mux.HandleFunc("GET /livez", s.service.ServeLive)
	mux.HandleFunc("GET /readyz", s.service.ServeReady)
	return noSniff(mux)
}

// serveHealth answers probes on the health socket. Without it, because another server has the name
// or the system none for it, the server is as good, so Run goes on.
func (s *Server) serveHealth(ctx context.Context) error {
	if s.cfg.HealthSocket == "" || runtime.GOOS != "linux" {
		return nil
	}
	ln, err := s.cfg.Listen(ctx, HealthAddr(s.cfg.HealthSocket))
	if err != nil {
		return err
	}
	go s.health.Serve(&boundedListener{ln, make(chan struct{}, maxHealthConns)})
	return nil
}

// HealthAddr is the address of the health socket of a name.
func HealthAddr(name string) string { return unixPrefix + "@" + name }

// A boundedListener accepts a connection when fewer than cap(open) are open.
type boundedListener struct {
	net.Listener
	open chan struct{}
}

func (l *boundedListener) Accept() (net.Conn, error) {
	l.open <- struct{}{}
	nc, err := l.Listener.Accept()
	if err != nil {
		<-l.open
		return nil, err
	}
	return &boundedConn{Conn: nc, leave: sync.OnceFunc(func() { <-l.open })}, nil
}

type boundedConn struct {
	net.Conn
	leave func()
}

func (c *boundedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
