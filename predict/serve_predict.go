package predict

import "net/http"

// maxPlain is what a body may have that asks for one forecast of a listed ticker, ten times over.
// What is longer holds a history.
const maxPlain = 1 << 10

// ServePredict is POST /predict.
func (s *Service) ServePredict(w http.ResponseWriter, r *http.Request) {
	long := r.ContentLength < 0 || r.ContentLength > maxPlain
	if long {
		if err := s.full(); err != nil {
			s.refuse(w, r, err)
			return
		}
	}
	buf := s.bodies.get()
	defer s.bodies.put(buf)
	body, err := readJSON(w, r, *buf, s.cfg.MaxBody)
	*buf = body
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	var answer []byte
	do := func() error {
		req, err := Decode(body)
		if err == nil {
			answer, err = s.Answer(patient(), &req)
		}
		return err
	}
	if long {
		err = s.costly(do)
	} else {
		err = do()
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}
