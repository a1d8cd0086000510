package calibrate

import "tickercast/model"

// Histogram counts the log scores of targets on one side, once per level, in bins fine enough for
// quantiles. Total also counts the targets on the other side.
type Histogram struct {
	bins  [model.Levels][binCount]float32
	Total float64
}

const (
	binWidth = 0.004
	binFirst = -4.0
	binCount = 2000
)

// Add counts a score at level l. It leaves Total as it is.
func (h *Histogram) Add(l int, score, weight float64) {
	at := min(max((score-binFirst)/binWidth, 0), binCount-1)
	h.bins[l][int(at)] += float32(weight)
}

// Quantile returns the score that a share p of all targets stays below. Targets on the other side
// lie below every score.
func (h *Histogram) Quantile(l int, p float64) float64 {
	left := h.Total
	for _, w := range h.bins[l] {
		left -= float64(w)
	}
	left = p*h.Total - left
	for i, w := range h.bins[l] {
		if float64(w) >= left && w > 0 {
			return binFirst + binWidth*(float64(i)+max(left, 0)/float64(w))
		}
		left -= float64(w)
	}
	return binFirst + binWidth*binCount
}
