package train

import (
	"context"
	"math"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/market"
)

// A scaler forecasts the volatility of the returns over 1 to 30 days, each in units of sqrt(h), at
// the close of row i of its series.
type scaler func(i int, x *market.Features, scale *[model.MaxDays]float64)

// pooledTails makes a method of a scale: at the start of each year its bounds are the quantiles of
// all the panel's returns over their scales, as far as the targets ended before that year. With
// less than minTargets of them the bounds are the normal's.
func pooledTails(ctx context.Context, c *course, name string,
	series func(*market.Series, []float64) scaler) (method, error) {
	first, last := c.years()
	var parts [chunks][]scoreCounts
	all := c.panel.Series()
	err := inChunks(ctx, func(k int) {
		part := make([]scoreCounts, last-first+1)
		for t := k; t < len(all) && ctx.Err() == nil; t += chunks {
			logs := logCloses(&all[t])
			f := series(&all[t], logs)
			var scale [model.MaxDays]float64
			c.tape.Walk(&all[t], 0, func(i int) bool { return i%pooledEvery == 0 },
				func(i int, x *market.Features) {
					f(i, x, &scale)
					for h := 1; h <= model.MaxDays && i+h < len(logs); h++ {
						if before := firstAfter(all[t].Dates[i+h], first); before < len(part) {
							part[before].add(h-1, (logs[i+h]-logs[i])/(scale[h-1]*sqrtDays[h-1]))
						}
					}
				})
		}
		parts[k] = part
	})
	if err != nil {
		return method{}, err
	}
	tables := make([]tailTable, last-first+1)
	var past scoreCounts
	for y := range tables {
		for _, part := range parts {
			past.merge(&part[y])
		}
		tables[y] = past.table()
	}
	return method{name, func(s *market.Series, logs []float64) forecaster {
		f := series(s, logs)
		var scale [model.MaxDays]float64
		return func(i int, x *market.Features, b *bounds) {
			f(i, x, &scale)
			table := &tables[yearOf(s.Dates[i])-first]
			*b = bounds{}
			for h := range model.MaxDays {
				for side := range 2 {
					for l, z := range table[h][side] {
						b.bound[h][side][l] = z * scale[h] * sqrtDays[h]
					}
				}
			}
		}
	}}, nil
}

const (
	pooledEvery = 5 // rows between the origins whose targets are pooled
	minTargets  = 5000
)

func yearOf(d calendar.Date) int { y, _, _ := d.Civil(); return y }

// firstAfter is the first year, counted from first, that begins after a target's day.
func firstAfter(target calendar.Date, first int) int { return max(yearOf(target)+1-first, 0) }

func (c *course) years() (first, last int) {
	return yearOf(c.origins[0]), yearOf(c.origins[len(c.origins)-1])
}

// tailTable holds bounds in units of the scale: the lower are negative.
type tailTable [model.MaxDays][2][model.Levels]float64

// scoreCounts counts scores by size, in bins of one hundredth up to +-12.
type scoreCounts struct {
	bins  [model.MaxDays][2 * scoreBins]float32
	total [model.MaxDays]float64
}

const scoreBins = 1200

func (c *scoreCounts) add(h int, score float64) {
	at := min(max(int(math.Floor(score*100))+scoreBins, 0), 2*scoreBins-1)
	c.bins[h][at]++
	c.total[h]++
}

func (c *scoreCounts) merge(o *scoreCounts) {
	for h := range c.bins {
		for i, n := range o.bins[h] {
			c.bins[h][i] += n
		}
		c.total[h] += o.total[h]
	}
}

func (c *scoreCounts) table() (t tailTable) {
	for h := range t {
		for l, p := range tails {
			if c.total[h] < minTargets {
				t[h][0][l], t[h][1][l] = -normalScores[l], normalScores[l]
				continue
			}
			t[h][0][l], t[h][1][l] = c.quantile(h, p), c.quantile(h, 1-p)
		}
	}
	return t
}

func (c *scoreCounts) quantile(h int, p float64) float64 {
	left := p * c.total[h]
	for i, n := range c.bins[h] {
		if float64(n) >= left && n > 0 {
			return (float64(i-scoreBins) + left/float64(n)) / 100
		}
		left -= float64(n)
	}
	return scoreBins / 100
}

// ewmaPooled is the random walk with RiskMetrics' volatility and pooled tails.
func ewmaPooled(ctx context.Context, c *course) (method, error) {
	return pooledTails(ctx, c, "ewma-pooled", func(_ *market.Series, logs []float64) scaler {
		sigma := ewma(logs)
		return func(i int, _ *market.Features, scale *[model.MaxDays]float64) {
			for h := range scale {
				scale[h] = sigma[i]
			}
		}
	})
}
