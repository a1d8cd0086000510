package server

import (
	"context"
	"net/http"
)

// maxHealthSocket is the longest name that a system takes, without the byte that makes it no path.
const maxHealthSocket = 107

func (s *Server) healthHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", s.service.ServeHealth)
	mux.HandleFunc("GET /livez", s.service.ServeLive)
	mux.HandleFunc("GET /readyz", s.service.ServeReady)
	return s.follow(noSniff(mux))
}

// serveHealth answers probes on the health socket. Without it, because another server has the name
// or the system none for it, the server is as good, so Run goes on.
func (s *Server) serveHealth(ctx context.Context) error {
	if !s.cfg.hasHealthSocket() {
		return nil
	}
	ln, err := s.cfg.Listen(ctx, HealthAddr(s.cfg.HealthSocket))
	if err != nil {
		return err
	}
	go s.health.Serve(s.bounded(ln, s.health, &s.probes, healthConns))
	return nil
}

// HealthAddr is the address of the health socket of a name.
func HealthAddr(name string) string { return unixPrefix + "@" + name }
