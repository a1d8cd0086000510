package train

import (
	"context"
	"math"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/calibrate"
	"tickercast/model/market"
)

// A scaler forecasts the volatility of the returns over 1 to 30 days, in units of sqrt(h), at the
// close of row i of its series.
type scaler func(i int, x *market.Features, scale *row)

const (
	pooledEvery = 5    // rows between the origins whose targets are pooled
	minTargets  = 5000 // with fewer, the bounds are the normal's
)

// pooledTails makes a method from a scale. At the start of each year, its bounds are the quantiles
// of return over scale among all targets of the panel that ended before that year.
func pooledTails(ctx context.Context, c *backtest, name string,
	series func(*market.Series, []float64) scaler) (method, error) {
	first, last := c.years()
	parts, err := inChunks(ctx, c.panel, func() []scoreCounts {
		return make([]scoreCounts, last-first+1)
	}, func(part []scoreCounts, s *market.Series) {
		logs := s.LogCloses()
		f := series(s, logs)
		var scale row
		c.index.Walk(s, 0, func(i int) bool { return i%pooledEvery == 0 },
			func(i int, x *market.Features) {
				f(i, x, &scale)
				for h := 1; h <= model.MaxDays && i+h < len(logs); h++ {
					if year := yearAfter(s.Dates[i+h], first); year < len(part) {
						part[year].add(h-1, (logs[i+h]-logs[i])/(scale[h-1]*sqrtDays[h-1]))
					}
				}
			})
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
		var scale row
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

func yearOf(d calendar.Date) int { y, _, _ := d.Civil(); return y }

// yearAfter returns the first year that begins after a target's day, counted from first.
func yearAfter(target calendar.Date, first int) int { return max(yearOf(target)+1-first, 0) }

// years returns the years of the first and the last origin.
func (c *backtest) years() (first, last int) {
	return yearOf(c.origins[0]), yearOf(c.origins[len(c.origins)-1])
}

// tailTable holds bounds in units of the scale. The lower ones are negative.
type tailTable [model.MaxDays][2][model.Levels]float64

// scoreCounts counts scores in bins of 0.01 up to +-12.
type scoreCounts struct {
	bins  [model.MaxDays][2 * scoreBins]float32
	total row
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
	}
	c.total.add(&o.total)
}

func (c *scoreCounts) table() (t tailTable) {
	for h := range t {
		for l, p := range tails {
			if c.total[h] < minTargets {
				t[h][0][l], t[h][1][l] = -calibrate.NormalScores[l], calibrate.NormalScores[l]
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
