package predict

import "net/http"

// ServePredict is POST /predict.
func (s *Service) ServePredict(w http.ResponseWriter, r *http.Request) {
	buf := buffers.Get().(*[]byte)
	defer putBuffer(buf)
	body, err := readBody(w, r, (*buf)[:0], s.cfg.MaxBody)
	*buf = body
	if err != nil {
		s.refuse(w, err)
		return
	}
	if !isJSON(r.Header.Get("Content-Type")) {
		s.refuse(w, errNotJSON(body))
		return
	}
	req, err := Decode(body)
	if err != nil {
		s.refuse(w, err)
		return
	}
	answer, err := s.Answer(r.Context(), &req)
	if err != nil {
		s.refuse(w, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}
