package calibrate

import (
	"encoding/json"
	"math"
	"strconv"

	"tickercast/model"
	"tickercast/model/calendar"
)

// A Report says how the forecasts of some days did.
type Report struct {
	From      calendar.Date `json:"from"` // of the origins
	To        calendar.Date `json:"to"`
	Origins   int           `json:"origins"`
	Forecasts int           `json:"forecasts"` // one for each ticker and origin
	// Skill is how much lower the loss is than that of EWMA(0.94) with normal tails, as a share and
	// as the mean over horizons.
	Skill Number `json:"skill"`
	// TickersOff is the share of tickers whose own coverage at 95 % one day ahead Kupiec's test
	// rejects at 5 %. Chance makes it 0.05.
	TickersOff Number        `json:"tickers_off"`
	Levels     []LevelReport `json:"levels"`

	// TooFew and TooMany say how far the share of closes that came inside is below and above what
	// it should be, over all confidences: above 1, by more than chance explains. They are NaN for
	// fewer than 40 origins.
	TooFew  Number `json:"-"`
	TooMany Number `json:"-"`

	tickers map[string]*TickerReport
}

// A LevelReport is of one confidence and horizon.
type LevelReport struct {
	Confidence    float64 `json:"confidence"`
	Horizon       int     `json:"horizon"`
	Coverage      Number  `json:"coverage"`
	StandardError Number  `json:"standard_error"` // of the coverage, clustered by date
	Loss          Number  `json:"loss"`           // pinball loss of both bounds, in basis points
	Skill         Number  `json:"skill"`
}

// ConfidenceText and HorizonText are for labels.
func (l *LevelReport) ConfidenceText() string {
	return strconv.FormatFloat(l.Confidence, 'f', -1, 64)
}
func (l *LevelReport) HorizonText() string { return strconv.Itoa(l.Horizon) }

// Level returns what is said of a confidence and horizon. It is the zero value for others than
// those of JudgedLevels.
func (r *Report) Level(confidence float64, horizon int) LevelReport {
	for _, l := range r.Levels {
		if l.Confidence == confidence && l.Horizon == horizon {
			return l
		}
	}
	return LevelReport{}
}

// A TickerReport counts the closes of one ticker that came inside.
type TickerReport struct {
	Forecasts int
	count     [len(judgedHorizons)]int
	hits      [len(judgedHorizons)][len(judgedLevels)]int
}

// Hits is how many of so many closes were inside, at one confidence and horizon.
type Hits struct {
	Confidence float64 `json:"confidence"`
	Horizon    int     `json:"horizon"`
	Closes     int     `json:"closes"`
	Inside     int     `json:"inside"`
}

// Ticker returns the hits of a ticker by horizon and confidence, or nil if it has no forecast.
func (r *Report) Ticker(name string) (all []Hits) {
	t := r.tickers[name]
	if t == nil || t.Forecasts == 0 {
		return nil
	}
	for h, ahead := range judgedHorizons {
		for l, level := range judgedLevels {
			all = append(all, Hits{model.Confidences[level], ahead, t.count[h], t.hits[h][l]})
		}
	}
	return all
}

const basisPoints = 1e4

// Number is a float64 that JSON shows as null if there was nothing to compute it from.
type Number float64

// Finite reports whether there was something to compute n from.
func (n Number) Finite() bool { return !math.IsNaN(float64(n)) && !math.IsInf(float64(n), 0) }

func (n Number) MarshalJSON() ([]byte, error) {
	if !n.Finite() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}
