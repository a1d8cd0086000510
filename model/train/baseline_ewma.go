package train

import (
	"context"

	"tickercast/model/calibrate"
	"tickercast/model/market"
)

// ewmaNormal is the random walk with the EWMA volatility times sqrt(h), and normal tails.
func ewmaNormal() method {
	return method{"ewma-normal", func(_ *market.Series, logs []float64) forecaster {
		sigma := calibrate.EWMA(logs)
		return func(i int, _ *market.Features, b *bounds) {
			b.symmetric(func(h, l int) float64 {
				return calibrate.NormalScores[l] * sigma[i] * sqrtDays[h]
			})
		}
	}}
}

// ewmaPooled is the random walk with the EWMA volatility and pooled tails.
func ewmaPooled(ctx context.Context, c *backtest) (method, error) {
	return pooledTails(ctx, c, "ewma-pooled", func(_ *market.Series, logs []float64) scaler {
		sigma := calibrate.EWMA(logs)
		return func(i int, _ *market.Features, scale *row) {
			for h := range scale {
				scale[h] = sigma[i]
			}
		}
	})
}
