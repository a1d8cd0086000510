package main

import (
	"encoding/json"
	"net/http"
	"net/http/pprof"
)

// adminRoutes is what the admin address answers and the public one does not. The probes need no
// token, since those who ask have none: a kubelet, a load balancer.
func (s *serving) adminRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.registry)
	mux.HandleFunc("POST /-/reload", s.serveReload)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	all := http.NewServeMux()
	all.Handle("/", s.guard.operators(mux))
	all.HandleFunc("GET /livez", s.service.ServeLive)
	all.HandleFunc("GET /readyz", s.service.ServeReady)
	all.HandleFunc("GET /health", s.service.ServeHealth)
	return all
}

// serveReload reloads and says how it went: 200, or 422 with the file and line at fault. What is
// served after a 422 is what was served before.
func (s *serving) serveReload(w http.ResponseWriter, r *http.Request) {
	status, body := http.StatusOK, map[string]any{"status": "reloaded"}
	if err := s.reloader.reload("POST /-/reload"); err != nil {
		status, body = http.StatusUnprocessableEntity, map[string]any{"detail": err.Error()}
	} else {
		m, mk := s.service.Current()
		body["model_version"] = m.Version()
		body["as_of"] = mk.AsOf().String()
	}
	data, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(data, '\n'))
}
