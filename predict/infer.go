package predict

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"tickercast/model"
	"tickercast/predict/internal/limits"
	"tickercast/predict/pyjson"
)

// The Open Inference Protocol, version 2 over REST (github.com/kserve/open-inference-protocol), is
// how serving platforms ask any model: named tensors in, named tensors out, errors of the form
// {"error":"..."}. Here it gives the forecasts of POST /predict, number for number. It bypasses the
// cache: the forecasts of listed tickers are at hand, and what remains is to write many numbers
// that are seldom asked for twice. Paths with a version and extensions are not supported.

// inferModel is the name of this server's only model.
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
	s.writeValue(w, r, http.StatusOK, serverMetadata{inferModel, s.cfg.Version, []string{}})
}

// ServeServerLive is GET /v2/health/live, which like /livez depends on nothing.
func (s *Service) ServeServerLive(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, []byte(`{"live":true}`))
}

// ServeServerReady is GET /v2/health/ready: 200 or 503, as for /readyz.
func (s *Service) ServeServerReady(w http.ResponseWriter, r *http.Request) {
	s.writeReady(w, r, "")
}

// ServeModelReady is GET /v2/models/{name}/ready. The model is ready when the server is.
func (s *Service) ServeModelReady(w http.ResponseWriter, r *http.Request) {
	if err := checkModel(r); err != nil {
		s.refuseInfer(w, r, err)
		return
	}
	s.writeReady(w, r, inferModel)
}

func (s *Service) writeReady(w http.ResponseWriter, r *http.Request, name string) {
	ready, reasons := s.ready(false)
	status, h := http.StatusOK, health{Name: name, Live: true, Ready: ready}
	if !ready {
		status, h.Error = http.StatusServiceUnavailable, "not ready: "+strings.Join(reasons, "; ")
	}
	s.writeValue(w, r, status, h)
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
	s.writeValue(w, r, http.StatusOK, m)
}

// shortInfer is the length of a body that names thirty tickers at most. It is answered sooner than
// anything could come of waiting for a slot or of ending it early.
const shortInfer = 256

// ServeModelInfer is POST /v2/models/{name}/infer: forecasts for many tickers. It ignores the
// Content-Type, which the protocol does not mention and its clients do not send.
func (s *Service) ServeModelInfer(w http.ResponseWriter, r *http.Request) {
	if answer, err := s.infer(w, r); err != nil {
		s.refuseInfer(w, r, err)
	} else {
		writeJSON(w, http.StatusOK, answer)
	}
}

func (s *Service) infer(w http.ResponseWriter, r *http.Request) (answer []byte, err error) {
	if err := checkModel(r); err != nil {
		return nil, err
	}
	if r.Header.Get("Inference-Header-Content-Length") != "" {
		return nil, errInfer("binary tensors are an extension that this server does not have: " +
			"send data as JSON")
	}
	long := r.ContentLength < 0 || r.ContentLength > shortInfer
	err = s.serve(w, r, call{bodies: &s.batches, costly: long, many: long},
		func(ctx context.Context, body []byte, held *limits.Hold) error {
			var req *inferRequest
			err := withTree(body, held, func() (err error) {
				req, err = decodeInfer(body, s.cfg.MaxItems)
				return err
			})
			if err != nil {
				return err
			}
			if s.cfg.Charge != nil {
				if err := s.cfg.Charge(w, len(req.items)); err != nil {
					return err
				}
			}
			size := req.size()
			if err := grow(held, 2*size); err != nil { // the columns, and the answer of them
				return err
			}
			st, err := s.current()
			if err != nil {
				return err
			}
			answer, err = st.infer(ctx, req)
			held.Shrink(2*size - cap(answer))
			if err == nil {
				s.answeredMany(w, st)
			}
			return err
		})
	return answer, err
}

// checkModel refuses a path that names another model.
func checkModel(r *http.Request) error {
	if name := r.PathValue("name"); name != inferModel {
		return &Error{Status: http.StatusNotFound,
			Detail: "unknown model '" + name + "', there is '" + inferModel + "'"}
	}
	return nil
}

// refuseInfer answers with an error in the protocol's form, where an invalid request is a 400 and
// never a 422.
func (s *Service) refuseInfer(w http.ResponseWriter, r *http.Request, err error) {
	e := s.publicError(w, r, err)
	if e.Status == http.StatusTooManyRequests {
		s.refuse(w, r, e) // worded like the same refusal before the body was read
		return
	}
	if s.hold(w).Grow(e.mostBytes()) != nil {
		e = ErrOverload()
	}
	e.setHeader(w.Header())
	status := e.Status
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	s.writeValue(w, r, status, struct {
		Error string `json:"error"`
	}{e.Error()})
}

func errInfer(text string) *Error { return &Error{Status: http.StatusBadRequest, Detail: text} }

// valueSize is the room for a value: a date, or a price of ten digits and more.
const valueSize = len(`"2006-01-02",`)

// answerBytes is room for what an answer has besides its numbers and id.
const answerBytes = 1 << 10

// size is about that of the answer.
func (r *inferRequest) size() int {
	return r.wanted*len(r.items)*r.days*valueSize + answerBytes + 6*len(r.id)
}

// infer answers a request. An unknown ticker refuses all of it, as a tensor has no place for the
// error of one item.
func (st *state) infer(ctx context.Context, r *inferRequest) ([]byte, error) {
	var data [len(inferOutputs)][]byte
	for _, out := range r.outputs[:r.wanted] {
		data[out] = make([]byte, 0, len(r.items)*r.days*valueSize)
	}
	for i := range r.items {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !st.appendColumns(&data, &r.items[i], r.days) {
			return nil, errInfer(fmt.Sprintf("input ticker, value %d: unknown ticker '%s'", i,
				r.items[i].Ticker))
		}
	}
	size := answerBytes
	for _, column := range data {
		size += len(column)
	}
	return st.appendAnswer(make([]byte, 0, size+6*len(r.id)), r, &data), nil
}

// appendColumns appends an item's row to the outputs that are not nil. It returns false if the
// ticker is unknown.
func (st *state) appendColumns(data *[len(inferOutputs)][]byte, item *Request, days int) bool {
	t, ok := st.find(item.Ticker)
	if !ok {
		return false
	}
	ts := &st.tickers[t.Index]
	price := func(out int, logReturn float64, decimals int) {
		if dst := data[out]; dst != nil {
			data[out] = append(appendPrice(dst, ts.close*math.Exp(logReturn), decimals), ',')
		}
	}
	place := model.At(item.Confidence)
	for h := 1; h <= days; h++ {
		if dst := data[outputDate]; dst != nil {
			dst = append(append(dst, '"'), ts.dates[h-1][:]...)
			data[outputDate] = append(dst, `",`...)
		}
		median := ts.forecast.Median(h)
		lower, upper := ts.forecast.Bounds(h, place)
		d := decimals(ts.close * math.Exp(median))
		price(outputPrice, median, d)
		price(outputLower, lower, d)
		price(outputUpper, upper, d)
	}
	return true
}

func (st *state) appendAnswer(dst []byte, r *inferRequest,
	data *[len(inferOutputs)][]byte) []byte {
	dst = append(dst, `{"model_name":"`+inferModel+`","model_version":`...)
	dst = pyjson.AppendString(dst, []byte(st.model.Version()))
	if r.id != nil {
		dst = append(dst, `,"id":`...)
		dst = pyjson.AppendString(dst, r.id)
	}
	dst = append(dst, `,"outputs":[`...)
	for i, out := range r.outputs[:r.wanted] {
		if i > 0 {
			dst = append(dst, ',')
		}
		o := inferOutputs[out]
		dst = append(dst, `{"name":"`+o.name+`","datatype":"`+o.datatype+`","shape":[`...)
		dst = strconv.AppendInt(dst, int64(len(r.items)), 10)
		dst = append(dst, ',')
		dst = strconv.AppendInt(dst, int64(r.days), 10)
		dst = append(dst, `],"data":[`...)
		dst = append(dst, data[out][:len(data[out])-1]...) // without the last comma
		dst = append(dst, `]}`...)
	}
	return append(dst, `]}`...)
}
