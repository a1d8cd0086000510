package predict

import (
	"encoding/json"
	"net/http"
	"strings"
)

// The Open Inference Protocol, version 2 over REST, is how serving platforms ask any model
// whatever: named tensors in, named tensors out, and errors of the form {"error":"..."}. Its
// specification is github.com/kserve/open-inference-protocol. Here it is another door to the
// forecasts of POST /predict, number for number. No cache is behind it: a listed ticker's forecast
// is at hand, and what is left is to write its numbers, many at once and seldom the same ones
// twice.
//
// Not here: gRPC; paths with a version, since there is one at a time, named in every answer; and
// the extensions of single servers, such as binary tensors.

// inferModel is the name of the one model that this server has.
const inferModel = "tickercast"

type serverMetadata struct {
	Name       string   `json:"name"`
	Version    string   `json:"version"`
	Extensions []string `json:"extensions"`
}

type modelMetadata struct {
	Name     string           `json:"name"`
	Platform string           `json:"platform"`
	Inputs   []tensorMetadata `json:"inputs"`
	Outputs  []tensorMetadata `json:"outputs"`
}

// tensorMetadata describes a tensor; -1 is a length that varies.
type tensorMetadata struct {
	Name     string `json:"name"`
	Datatype string `json:"datatype"`
	Shape    []int  `json:"shape"`
}

type health struct {
	Name  string `json:"name,omitempty"` // of the model, where one was asked for
	Live  bool   `json:"live"`
	Ready bool   `json:"ready"`
	Error string `json:"error,omitempty"`
}

// ServeServerMetadata is GET /v2.
func (s *Service) ServeServerMetadata(w http.ResponseWriter, r *http.Request) {
	s.writeInfer(w, r, http.StatusOK, serverMetadata{inferModel, s.cfg.Version, []string{}})
}

// ServeServerLive is GET /v2/health/live: like /livez it depends on nothing.
func (s *Service) ServeServerLive(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, []byte(`{"live":true}`))
}

// ServeServerReady is GET /v2/health/ready: 200 or 503, as /readyz says.
func (s *Service) ServeServerReady(w http.ResponseWriter,
	r *http.Request) {
	s.writeReady(w, r, "")
}

// ServeModelReady is GET /v2/models/{name}/ready. The server is its one model, and ready when that
// is.
func (s *Service) ServeModelReady(w http.ResponseWriter, r *http.Request) {
	if err := checkModel(r); err != nil {
		s.refuseInfer(w, r, err)
		return
	}
	s.writeReady(w, r, inferModel)
}

func (s *Service) writeReady(w http.ResponseWriter, r *http.Request, name string) {
	ready, reasons := s.ready()
	status, h := http.StatusOK, health{Name: name, Live: true, Ready: ready}
	if !ready {
		status, h.Error = http.StatusServiceUnavailable, "not ready: "+strings.Join(reasons, "; ")
	}
	s.writeInfer(w, r, status, h)
}

// ServeModelMetadata is GET /v2/models/{name}: the tensors that the model takes and gives.
func (s *Service) ServeModelMetadata(w http.ResponseWriter, r *http.Request) {
	if err := checkModel(r); err != nil {
		s.refuseInfer(w, r, err)
		return
	}
	m := modelMetadata{Name: inferModel, Platform: "tickercast_go"}
	for _, in := range inferInputs {
		m.Inputs = append(m.Inputs, tensorMetadata{in.name, in.datatypes[0], []int{-1}})
	}
	for _, out := range inferOutputs {
		m.Outputs = append(m.Outputs, tensorMetadata{out.name, out.datatype, []int{-1, -1}})
	}
	s.writeInfer(w, r, http.StatusOK, m)
}

// ServeModelInfer is POST /v2/models/{name}/infer: forecasts for up to 1000 tickers. The
// Content-Type does not matter: the protocol names none, and clients of it send none.
func (s *Service) ServeModelInfer(w http.ResponseWriter, r *http.Request) {
	held := hold{budget: &s.answers}
	defer held.release()
	answer, err := s.infer(w, r, &held)
	if err != nil {
		s.refuseInfer(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

func (s *Service) infer(w http.ResponseWriter, r *http.Request, held *hold) ([]byte, error) {
	if err := checkModel(r); err != nil {
		return nil, err
	}
	if r.Header.Get("Inference-Header-Content-Length") != "" {
		return nil, errInfer("binary tensors are an extension that this server does not have: " +
			"send data as JSON")
	}
	if err := s.full(); err != nil {
		return nil, err
	}
	buf := s.batches.get()
	defer s.batches.put(buf)
	body, err := readBody(w, r, *buf, s.cfg.MaxBatchBody)
	*buf = body
	if err != nil {
		return nil, err
	}
	var answer []byte
	err = s.costly(func() error {
		req, err := decodeInfer(body)
		if err != nil {
			return err
		}
		if err := held.grow(req.size()); err != nil {
			return err
		}
		ctx, cancel := s.limited(r.Context())
		defer cancel()
		answer, err = s.admitted(ctx, func() ([]byte,
			error) {
			return s.world.Load().infer(ctx, req)
		})
		return err
	})
	return answer, err
}

// checkModel refuses a path that names another model than the one there is.
func checkModel(r *http.Request) error {
	if name := r.PathValue("name"); name != inferModel {
		return &Error{Status: http.StatusNotFound,
			Detail: "unknown model '" + name + "', there is '" + inferModel + "'"}
	}
	return nil
}

// refuseInfer sends an error in the protocol's form. What is wrong with a request is a 400 there,
// never a 422.
func (s *Service) refuseInfer(w http.ResponseWriter, r *http.Request, err error) {
	e := s.public(r, err)
	e.setHeader(w.Header())
	status := e.Status
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	s.writeInfer(w, r, status, struct {
		Error string `json:"error"`
	}{e.Error()})
}

// writeInfer sends what is small and asked for seldom.
func (s *Service) writeInfer(w http.ResponseWriter, r *http.Request, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	writeJSON(w, status, body)
}

func errInfer(text string) *Error { return &Error{Status: http.StatusBadRequest, Detail: text} }
