package predict

import "net/http"

// ServePredict is POST /predict.
func (s *Service) ServePredict(w http.ResponseWriter, r *http.Request) {
	buf := s.bodies.get()
	defer s.bodies.put(buf)
	body, err := readJSON(w, r, *buf, s.cfg.MaxBody)
	*buf = body
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	req, err := Decode(body)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	answer, err := s.Answer(r.Context(), &req)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}
