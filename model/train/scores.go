package train

import (
	"encoding/json"
	"io"
	"math"

	"tickercast/model"
	"tickercast/model/calendar"
)

// scores is the short form of an Evaluation that a server shows. It names the version that was
// judged, so that a server never shows it for other weights.
type scores struct {
	Model     string            `json:"model_version"`
	From      calendar.Date     `json:"from"` // of the origins
	To        calendar.Date     `json:"to"`
	Tickers   int               `json:"tickers"`
	Forecasts int               `json:"forecasts"` // one day ahead
	Ratios    map[string]number `json:"pinball_loss_ratio"`
	Coverage  []confidenceScore `json:"coverage"`
	Median    number            `json:"median_error_ratio"` // to "no change", worst horizon
}

// confidenceScore is the coverage of one confidence.
type confidenceScore struct {
	Confidence float64 `json:"confidence"`
	Mean       number  `json:"mean"`  // over horizons
	Worst      number  `json:"worst"` // of the horizon furthest off
}

// WriteScores writes the short form that GET /model shows.
func (e *Evaluation) WriteScores(w io.Writer) error {
	s := scores{Model: e.Model, From: e.From, To: e.To, Tickers: e.Tickers,
		Forecasts: e.Forecasts[0], Ratios: map[string]number{}}
	for _, r := range e.Overall {
		s.Ratios[r.Baseline] = rounded(r.Ratio)
	}
	for l, c := range e.Confidences {
		worst, sum := number(c), number(0)
		for h := range model.MaxDays {
			got := e.Methods[0].Coverage[h][l]
			sum += got
			if math.Abs(float64(got)-c) > math.Abs(float64(worst)-c) {
				worst = got
			}
		}
		s.Coverage = append(s.Coverage, confidenceScore{c, rounded(sum / model.MaxDays),
			rounded(worst)})
	}
	for _, r := range e.MedianRatio {
		s.Median = max(s.Median, rounded(r))
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(s)
}

// rounded keeps four decimals. The others are noise.
func rounded(n number) number { return number(math.Round(float64(n)*1e4) / 1e4) }
