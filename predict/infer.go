package predict

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"tickercast/predict/internal/limits"
)

// The Open Inference Protocol, version 2 over REST (github.com/kserve/open-inference-protocol), is
// how serving platforms ask any model: named tensors in, named tensors out, errors of the form
// {"error":"..."}. Here it gives the forecasts of POST /predict, number for number. It bypasses the
// cache: the forecasts of listed tickers are at hand, and what remains is to write many numbers
// that are seldom asked for twice. Of the extensions it has binary tensors and the index.

// inferModel is a name of the only model in any case; Config.ModelName is another one.
const inferModel = "tickercast"

// An inferInput is a tensor that the model takes, named like the field of POST /predict. Metadata
// shows the first datatype; the others lose nothing.
type inferInput struct {
	name      string
	datatypes []string
}

const (
	inputTicker = iota
	inputDays
	inputConfidence
)

var inferInputs = [...]inferInput{
	inputTicker: {"ticker", []string{"BYTES"}},
	inputDays: {"days_ahead", []string{"INT32", "INT64", "INT16", "INT8", "UINT8", "UINT16",
		"UINT32", "UINT64"}},
	inputConfidence: {"confidence_interval", []string{"FP64", "FP32"}},
}

// An inferOutput is a tensor that the model gives, with a row an item and a column a trading day.
//
// A tensor is rectangular, but each item has its own days_ahead. So all rows are as long as the
// longest, and hold real forecasts in the columns that were not asked for: padding would need a
// value that is no price, and refusing a mix would break proxies that merge requests.
type inferOutput struct{ name, datatype string }

const (
	outputDate = iota
	outputPrice
	outputLower
	outputUpper
)

var inferOutputs = [...]inferOutput{
	outputDate:  {"date", "BYTES"},
	outputPrice: {"predicted_price", "FP64"},
	outputLower: {"confidence_lower", "FP64"},
	outputUpper: {"confidence_upper", "FP64"},
}

type serverMetadata struct {
	Name       string   `json:"name"`
	Version    string   `json:"version"`
	Extensions []string `json:"extensions"`
}

type modelMetadata struct {
	Name     string           `json:"name"`
	Versions []string         `json:"versions"`
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
	s.writeValue(w, r, http.StatusOK,
		serverMetadata{inferModel, s.cfg.Version, []string{"binary_tensor_data"}})
}

// ServeServerLive is GET /v2/health/live, which like /livez depends on nothing.
func (s *Service) ServeServerLive(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, []byte(`{"live":true}`))
}

// ServeServerReady is GET /v2/health/ready: 200 or 503, as for /readyz.
func (s *Service) ServeServerReady(w http.ResponseWriter, r *http.Request) {
	s.writeReady(w, r, "")
}

// ServeModelReady is GET /v2/models/{name}/ready, with or without a version. The model is ready
// when the server is.
func (s *Service) ServeModelReady(w http.ResponseWriter, r *http.Request) {
	name, _, err := s.inferModel(r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.writeReady(w, r, name)
}

func (s *Service) writeReady(w http.ResponseWriter, r *http.Request, name string) {
	ready, reasons := s.ready(false)
	status, h := http.StatusOK, health{Name: name, Live: true, Ready: ready}
	if !ready {
		status, h.Error = http.StatusServiceUnavailable, "not ready: "+strings.Join(reasons, "; ")
	}
	s.writeValue(w, r, status, h)
}

// ServeModelMetadata is GET /v2/models/{name}, with or without a version: the tensors that the
// model takes and gives.
func (s *Service) ServeModelMetadata(w http.ResponseWriter, r *http.Request) {
	name, st, err := s.inferModel(r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	m := modelMetadata{Name: name, Versions: []string{}, Platform: "tickercast_go"}
	if st != nil {
		m.Versions = append(m.Versions, st.model.Version())
	}
	for _, in := range inferInputs {
		m.Inputs = append(m.Inputs, tensorMetadata{in.name, in.datatypes[0], []int{-1}})
	}
	for _, out := range inferOutputs {
		m.Outputs = append(m.Outputs, tensorMetadata{out.name, out.datatype, []int{-1, -1}})
	}
	s.writeValue(w, r, http.StatusOK, m)
}

// ServeModels is GET /v2/models, as KServe's own servers have it.
func (s *Service) ServeModels(w http.ResponseWriter, r *http.Request) {
	s.writeValue(w, r, http.StatusOK, struct {
		Models []string `json:"models"`
	}{[]string{s.cfg.ModelName}})
}

type indexRow struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"` // once one is loaded
	State   string `json:"state"`
	Reason  string `json:"reason"`
}

// ServeIndex is POST /v2/repository/index: the model and its state. {"ready":true} asks only for a
// model that is ready.
func (s *Service) ServeIndex(w http.ResponseWriter, r *http.Request) {
	ask := new(struct {
		Ready bool `json:"ready"`
	})
	err := s.serve(w, r, call{bodies: &s.singles},
		func(_ context.Context, body []byte, _ *limits.Hold) error {
			if len(body) == 0 {
				return nil
			}
			if err := json.Unmarshal(body, &ask); err != nil {
				return errInferJSON(err)
			}
			if ask == nil {
				return errInfer("the body is null, not an object")
			}
			return nil
		})
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	row := indexRow{Name: s.cfg.ModelName, State: "READY"}
	if st := s.state.Load(); st != nil {
		row.Version = st.model.Version()
	}
	ready, reasons := s.ready(false)
	if !ready {
		row.State, row.Reason = "UNAVAILABLE", strings.Join(reasons, "; ")
	}
	rows := []indexRow{}
	if ready || !ask.Ready {
		rows = append(rows, row)
	}
	s.writeValue(w, r, http.StatusOK, rows)
}

// shortInfer is the length of a body that names thirty tickers at most. It is answered sooner than
// anything could come of waiting for a slot or of ending it early.
const shortInfer = 256

// ServeModelInfer is POST /v2/models/{name}/infer, with or without a version: forecasts for many
// tickers. It ignores the Content-Type, which the protocol does not mention and its clients do not
// send.
func (s *Service) ServeModelInfer(w http.ResponseWriter, r *http.Request) {
	vary(w, inferVary)
	var out *[]byte
	answer, err := s.infer(w, r, &out)
	if out != nil && r.ProtoMajor == 1 {
		defer s.shorts.put(out) // HTTP/2 may still be reading what a client has given up
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	if answer.head < len(answer.body) {
		w.Header().Set(inferHeadLength, strconv.Itoa(answer.head))
		s.Send(w, r, "application/octet-stream", answer.body)
		return
	}
	s.Send(w, r, "application/json", answer.body)
}

// inferVary names the headers that the answer of ServeModelInfer depends on.
const inferVary = "Accept-Encoding"

// inferHeadLength is the header that says how long the JSON before binary tensors is.
const inferHeadLength = "Inference-Header-Content-Length"

// infer answers a request, in a buffer that it takes from a pool if there is room in that.
func (s *Service) infer(w http.ResponseWriter, r *http.Request, short **[]byte) (answer inferAnswer,
	err error) {
	name, st, err := s.inferModel(r)
	if err == nil && st == nil {
		err = ErrOverload()
	}
	if err != nil {
		return answer, err
	}
	long := r.ContentLength < 0 || r.ContentLength > shortInfer ||
		r.Header["Content-Encoding"] != nil
	err = s.serve(w, r, call{bodies: &s.batches, costly: long, many: long},
		func(ctx context.Context, body []byte, held *limits.Hold) error {
			d := inferDecoder{maxItems: s.cfg.MaxItems, held: held}
			req, err := d.decode(body, r.Header.Get(inferHeadLength))
			if err != nil {
				return err
			}
			if s.cfg.Charge != nil {
				if err := s.cfg.Charge(w, len(req.items)); err != nil {
					return err
				}
			}
			req.model = name
			*short = s.shorts.get() // not before the body is here: a slow client would keep it
			out := **short
			size := max(req.size(), cap(out))
			rows := len(req.items) * req.days * inferRowBytes
			if err := grow(held, rows+size); err != nil {
				return err
			}
			if size > cap(out) {
				out = make([]byte, 0, size)
			}
			answer, err = st.infer(ctx, req, out)
			held.Shrink(rows + size - cap(answer.body))
			if err == nil {
				s.answeredMany(w, st)
			}
			return err
		})
	return answer, err
}

// inferModel returns the model's name as the path has it, and what is served now, nil before the
// first Swap. A path with another model or version is a 404.
func (s *Service) inferModel(r *http.Request) (name string, st *state, err error) {
	name, st = r.PathValue("name"), s.state.Load()
	if name != s.cfg.ModelName && name != inferModel {
		return "", nil, &Error{Status: http.StatusNotFound, Detail: "unknown model '" +
			clip(name) + "', there is '" + s.cfg.ModelName + "'"}
	}
	switch version := r.PathValue("version"); {
	case version == "":
	case st == nil:
		err = ErrOverload()
	case version != st.model.Version():
		err = &Error{Status: http.StatusNotFound, Detail: "unknown version '" + clip(version) +
			"', there is '" + st.model.Version() + "'"}
	}
	return name, st, err
}
