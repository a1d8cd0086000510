package predict

import "net/http"

// ServeHealth is GET /health: it says that the process answers, as the service before it did.
func (s *Service) ServeHealth(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, []byte(`{"status":"healthy"}`))
}

// ServeLive is GET /livez. It depends on nothing: a process that answers need not be killed.
func (s *Service) ServeLive(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, []byte(`{"status":"alive"}`))
}

// ServeReady is GET /readyz: 200 while requests should be sent here, else 503, and in both cases
// the reasons that Config.Ready gives.
func (s *Service) ServeReady(w http.ResponseWriter, _ *http.Request) {
	ready, reasons := s.ready()
	status, body := http.StatusOK, []byte(`{"status":"ready","reasons":[`)
	if !ready {
		status, body = http.StatusServiceUnavailable, []byte(`{"status":"not ready","reasons":[`)
	}
	for i, reason := range reasons {
		if i > 0 {
			body = append(body, ',')
		}
		body = appendString(body, []byte(reason))
	}
	writeJSON(w, status, append(body, "]}"...))
}

func (s *Service) ready() (bool, []string) {
	if s.cfg.Ready == nil {
		return true, nil
	}
	return s.cfg.Ready()
}
