package calibrate

import (
	"context"
	"math"
	"slices"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/market"
)

// A Comparison says how much better one model is than another on the same origins.
type Comparison struct {
	// Difference is how much lower the pinball loss of the first model is, as a share of the loss
	// of the second: above zero, the first is better. It is the mean over horizons.
	Difference    Number
	StandardError Number // clustered by date
	Origins       int
}

// Worse reports whether the first model is worse by more than two standard errors.
func (c *Comparison) Worse() bool { return c.Difference < -2*c.StandardError }

// Compare judges two models on the origins, as Judge does. It stops early when ctx ends.
func Compare(ctx context.Context, first, second *Yearly, daily *market.Daily,
	index *market.MarketIndex, origins []calendar.Date) (*Comparison, error) {
	p := NewPaired(len(origins), len(judgedHorizons))
	var models [2][]*model.Model
	for k, y := range [...]*Yearly{first, second} {
		var err error
		if models[k], err = y.onAll(ctx, origins); err != nil {
			return nil, err
		}
	}
	var logs []float64
	err := walk(ctx, daily, index, origins, func(_ *market.Series, l []float64) { logs = l },
		func(day, i int, x *market.Features) {
			p.Counted[day] = true
			for k := range models {
				f := models[k][day].Forecast(x[:], slices.Max(judgedHorizons[:]))
				for h, ahead := range judgedHorizons {
					if i+ahead < len(logs) {
						p.Loss[k][h][day] += loss(&f, ahead, logs[i+ahead]-logs[i])
					}
				}
			}
		})
	if err != nil {
		return nil, err
	}
	c := p.Compare(0, len(origins), slices.Max(judgedHorizons[:]))
	return &c, nil
}

// loss is the pinball loss of a forecast at all levels and on both sides.
func loss(f *model.Forecast, ahead int, move float64) (total float64) {
	median := f.Median(ahead)
	for side, logs := range f.Distance(ahead) {
		toward := move - median
		if side == 0 {
			toward = -toward
		}
		for l, d := range logs {
			total += Pinball((1-model.Confidences[l])/2, math.Exp(d), toward)
		}
	}
	return total
}
