package train

import (
	"context"
	"math"

	"tickercast/model"
	"tickercast/model/market"
)

// ewma returns the volatility of RiskMetrics (1996) after each close: an average of squared returns
// with a decay of 0.94 a day. While young, it is their plain mean.
func ewma(logs []float64) []float64 {
	const decay, floor = 0.94, 1e-4
	sigma := make([]float64, len(logs))
	v := 0.0
	for i := 1; i < len(logs); i++ {
		r := logs[i] - logs[i-1]
		gain := max(1-decay, 1/float64(i))
		v += gain * (r*r - v)
		sigma[i] = max(math.Sqrt(v), floor)
	}
	return sigma
}

// normalScores are the bounds of the standard normal, by level.
var normalScores = func() (z [model.Levels]float64) {
	for l, c := range model.Confidences {
		z[l] = math.Sqrt2 * math.Erfinv(c)
	}
	return z
}()

// ewmaNormal is the random walk with the EWMA volatility times sqrt(h), and normal tails.
func ewmaNormal() method {
	return method{"ewma-normal", func(_ *market.Series, logs []float64) forecaster {
		sigma := ewma(logs)
		return func(i int, _ *market.Features, b *bounds) {
			b.symmetric(func(h, l int) float64 { return normalScores[l] * sigma[i] * sqrtDays[h] })
		}
	}}
}

// ewmaPooled is the random walk with the EWMA volatility and pooled tails.
func ewmaPooled(ctx context.Context, c *backtest) (method, error) {
	return pooledTails(ctx, c, "ewma-pooled", func(_ *market.Series, logs []float64) scaler {
		sigma := ewma(logs)
		return func(i int, _ *market.Features, scale *row) {
			for h := range scale {
				scale[h] = sigma[i]
			}
		}
	})
}
