package calibrate

import (
	"math"

	"tickercast/model"
)

// EWMA returns the volatility of RiskMetrics (1996) after each close: an average of squared returns
// with a decay of 0.94 a day. While young, it is their plain mean.
func EWMA(logs []float64) []float64 { return appendEWMA(make([]float64, 0, len(logs)), logs) }

// appendEWMA appends EWMA to dst.
func appendEWMA(dst, logs []float64) []float64 {
	const decay, floor = 0.94, 1e-4
	v := 0.0
	for i := range logs {
		if i == 0 {
			dst = append(dst, 0)
			continue
		}
		r := logs[i] - logs[i-1]
		gain := max(1-decay, 1/float64(i))
		v += gain * (r*r - v)
		dst = append(dst, max(math.Sqrt(v), floor))
	}
	return dst
}

// NormalScores are the bounds of the standard normal, by level.
var NormalScores = func() (z [model.Levels]float64) {
	for l, c := range model.Confidences {
		z[l] = math.Sqrt2 * math.Erfinv(c)
	}
	return z
}()

// Pinball returns the loss of a bound at distance d from the median, which a share p of the targets
// should exceed, when the target lies t away on the same side.
func Pinball(p, d, t float64) float64 {
	if t >= d {
		return (1 - p) * (t - d)
	}
	return p * (d - t)
}
