package predict

import (
	"encoding/json"
	"net/http"

	"tickercast/model/calendar"
)

// modelInfo is the answer of GET /model.
type modelInfo struct {
	Version     string          `json:"model_version"`
	TrainedFrom calendar.Date   `json:"trained_from"`
	TrainedTo   calendar.Date   `json:"trained_to"`
	Features    []string        `json:"features"`
	AsOf        calendar.Date   `json:"as_of"`    // of the newest price
	AgeDays     int             `json:"age_days"` // trading days since then
	Tickers     int             `json:"tickers"`
	Rows        int             `json:"rows"`
	Scores      json.RawMessage `json:"scores,omitempty"`
}

// ServeModel is GET /model: what forecasts, from which prices, and how well it did where it was
// tested.
func (s *Service) ServeModel(w http.ResponseWriter, r *http.Request) {
	m, mk := s.Current()
	var scores json.RawMessage
	if s.cfg.Scores != nil {
		scores = s.cfg.Scores(m.Version())
	}
	s.writeValue(w, r, modelInfo{
		Version:     m.Version(),
		TrainedFrom: m.TrainedFrom(),
		TrainedTo:   m.TrainedTo(),
		Features:    m.FeatureNames(),
		AsOf:        mk.AsOf(),
		AgeDays:     calendar.Between(mk.AsOf(), calendar.FromTime(s.cfg.Now().UTC())),
		Tickers:     len(mk.Tickers()),
		Rows:        mk.Panel().Rows(),
		Scores:      scores,
	})
}
