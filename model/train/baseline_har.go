package train

import (
	"context"
	"math"

	"tickercast/model"
	"tickercast/model/market"
)

// The heterogeneous autoregression (Corsi 2009) in logs: the log volatility over the next h days is
// linear in those of the last day, week, month and quarter. One set of coefficients a horizon
// serves all tickers, fitted by least squares at the start of each year on the targets that ended
// before it; tails are pooled.
var harSpans = [...]int{1, 5, 22, 66}

const harSize = len(harSpans) + 1

type harRow [harSize]float64

// harSystem holds the normal equations of each horizon.
type harSystem struct {
	xx [model.MaxDays][harSize][harSize]float64
	xy [model.MaxDays]harRow
	n  [model.MaxDays]float64
}

func (s *harSystem) add(h int, x *harRow, y float64) {
	for i, v := range x {
		for j, w := range x {
			s.xx[h][i][j] += v * w
		}
		s.xy[h][i] += v * y
	}
	s.n[h]++
}

func (s *harSystem) merge(o *harSystem) {
	for h := range s.xx {
		for i := range harSize {
			for j := range harSize {
				s.xx[h][i][j] += o.xx[h][i][j]
			}
			s.xy[h][i] += o.xy[h][i]
		}
		s.n[h] += o.n[h]
	}
}

// solve returns the coefficients; with little data, those of a plain mean of week, month and
// quarter.
func (s *harSystem) solve(h int) harRow {
	if s.n[h] < minTargets {
		return harRow{0, 0, 1. / 3, 1. / 3, 1. / 3}
	}
	a, b := s.xx[h], s.xy[h]
	for i := range harSize { // a hint of ridge keeps collinear spans apart
		a[i][i] += 1e-6 * s.n[h]
	}
	for i := range harSize {
		for r := i + 1; r < harSize; r++ {
			f := a[r][i] / a[i][i]
			for j := i; j < harSize; j++ {
				a[r][j] -= f * a[i][j]
			}
			b[r] -= f * b[i]
		}
	}
	for i := harSize - 1; i >= 0; i-- {
		for j := i + 1; j < harSize; j++ {
			b[i] -= a[i][j] * b[j]
		}
		b[i] /= a[i][i]
	}
	return b
}

// dailyVariances returns running sums of each day's variance: of its range where the series has it,
// else its squared return.
func dailyVariances(s *market.Series, logs []float64) []float64 {
	sums := make([]float64, len(logs)+1)
	for i := range logs {
		v := 0.0
		if i > 0 {
			r := logs[i] - logs[i-1]
			v = r * r
			if s.Open != nil && s.High != nil && s.Low != nil && s.Open[i] > 0 && s.Low[i] > 0 &&
				s.High[i] >= s.Low[i] {
				night, hl, co := math.Log(s.Open[i])-logs[i-1], math.Log(s.High[i]/s.Low[i]),
					logs[i]-math.Log(s.Open[i])
				v = night*night + max(0, 0.5*hl*hl-(2*math.Ln2-1)*co*co)
			}
		}
		sums[i+1] = sums[i] + v
	}
	return sums
}

// harLog is the log volatility of the rows from to to-1. A tenth of the variance of the quarter
// before at is added, lest a day on which the close stood still reads as calm.
func harLog(sums []float64, from, to, at int) float64 {
	const floor = 1e-6
	mean := func(from, to int) float64 {
		from = max(from, 1)
		return (sums[to] - sums[from]) / float64(max(to-from, 1))
	}
	return 0.5 * math.Log(mean(from, to)+0.1*mean(at-harSpans[len(harSpans)-1], at)+floor)
}

func harInputs(sums []float64, i int) (x harRow) {
	x[0] = 1
	for k, span := range harSpans {
		x[k+1] = harLog(sums, i+1-span, i+1, i+1)
	}
	return x
}

func har(ctx context.Context, c *course) (method, error) {
	first, last := c.years()
	var parts [chunks][]harSystem
	all := c.panel.Series()
	err := inChunks(ctx, func(k int) {
		part := make([]harSystem, last-first+1)
		for t := k; t < len(all) && ctx.Err() == nil; t += chunks {
			s := &all[t]
			sums := dailyVariances(s, logCloses(s))
			for i := harSpans[len(harSpans)-1]; i < len(s.Close); i += pooledEvery {
				x := harInputs(sums, i)
				for h := 1; h <= model.MaxDays && i+h < len(s.Close); h++ {
					if before := firstAfter(s.Dates[i+h], first); before < len(part) {
						part[before].add(h-1, &x, harLog(sums, i+1, i+1+h, i+1))
					}
				}
			}
		}
		parts[k] = part
	})
	if err != nil {
		return method{}, err
	}
	coefficients := make([][model.MaxDays]harRow, last-first+1)
	var past harSystem
	for y := range coefficients {
		for _, part := range parts {
			past.merge(&part[y])
		}
		for h := range model.MaxDays {
			coefficients[y][h] = past.solve(h)
		}
	}
	return pooledTails(ctx, c, "har", func(s *market.Series, logs []float64) scaler {
		sums := dailyVariances(s, logs)
		return func(i int, _ *market.Features, scale *[model.MaxDays]float64) {
			x := harInputs(sums, i)
			year := min(max(yearOf(s.Dates[i]), first), last)
			for h := range scale {
				y := 0.0
				for k, b := range coefficients[year-first][h] {
					y += b * x[k]
				}
				scale[h] = math.Exp(y)
			}
		}
	})
}
