package train

import (
	"math"

	"tickercast/model"
	"tickercast/model/market"
)

// ewma returns the volatility of RiskMetrics (1996) after each close: an average of squared returns
// that fades by 0.94 a day, unbiased while it is young.
func ewma(logs []float64) []float64 {
	const fade, floor = 0.94, 1e-4
	sigma := make([]float64, len(logs))
	v := 0.0
	for i := 1; i < len(logs); i++ {
		r := logs[i] - logs[i-1]
		gain := max(1-fade, 1/float64(i))
		v += gain * (r*r - v)
		sigma[i] = max(math.Sqrt(v), floor)
	}
	return sigma
}

// normalScores are the normal's quantiles at the bounds of model.Confidences.
var normalScores = func() (z [model.Levels]float64) {
	for l, c := range model.Confidences {
		z[l] = math.Sqrt2 * math.Erfinv(c)
	}
	return z
}()

// ewmaNormal is the random walk with that volatility, times sqrt(h), and normal tails.
func ewmaNormal() method {
	return method{"ewma-normal", func(_ *market.Series, logs []float64) forecaster {
		sigma := ewma(logs)
		return func(i int, _ *market.Features, b *bounds) {
			*b = bounds{}
			for h := range model.MaxDays {
				for l, z := range normalScores {
					d := z * sigma[i] * sqrtDays[h]
					b.bound[h][0][l], b.bound[h][1][l] = -d, d
				}
			}
		}
	}}
}
