package train

import (
	"context"
	"math"

	"tickercast/model"
	"tickercast/model/market"
)

// The heterogeneous autoregression (Corsi 2009) in logs: the log volatility over the next h days is
// linear in the log volatilities of the last day, week, month and quarter. Each horizon has one set
// of coefficients for all tickers. At the start of each year it is fitted by least squares to the
// targets that ended before. The tails are pooled.
var harSpans = [...]int{1, 5, 22, 66}

const (
	harSize    = len(harSpans) + 1
	harLongest = 66
)

type harRow [harSize]float64

// harSystem holds the normal equations of one horizon. The last column is the right-hand side.
type harSystem struct {
	a [harSize][harSize + 1]float64
	n float64
}

func (s *harSystem) add(x *harRow, y float64) {
	for i, v := range x {
		for j, w := range x {
			s.a[i][j] += v * w
		}
		s.a[i][harSize] += v * y
	}
	s.n++
}

func (s *harSystem) merge(o *harSystem) {
	for i := range s.a {
		for j, v := range o.a[i] {
			s.a[i][j] += v
		}
	}
	s.n += o.n
}

// solve returns the coefficients. With little data they are a plain mean of week, month and
// quarter.
func (s *harSystem) solve() (b harRow) {
	if s.n < minTargets {
		return harRow{0, 0, 1. / 3, 1. / 3, 1. / 3}
	}
	a := s.a
	for i := range harSize { // a little ridge keeps collinear spans apart
		a[i][i] += 1e-6 * s.n
	}
	for i := range harSize {
		for r := i + 1; r < harSize; r++ {
			f := a[r][i] / a[i][i]
			for j := i; j <= harSize; j++ {
				a[r][j] -= f * a[i][j]
			}
		}
	}
	for i := harSize - 1; i >= 0; i-- {
		b[i] = a[i][harSize]
		for j := i + 1; j < harSize; j++ {
			b[i] -= a[i][j] * b[j]
		}
		b[i] /= a[i][i]
	}
	return b
}

// dailyVariances returns running sums of each day's variance: from its range if the series has it,
// else its squared return.
func dailyVariances(s *market.Series, logs []float64) []float64 {
	ranges := s.Open != nil && s.High != nil && s.Low != nil
	sums := make([]float64, len(logs)+1)
	for i := range logs {
		v := 0.0
		if i > 0 {
			r := logs[i] - logs[i-1]
			v = r * r
			if ranges && s.Open[i] > 0 && s.Low[i] > 0 && s.High[i] >= s.Low[i] {
				open, hl := math.Log(s.Open[i]), math.Log(s.High[i]/s.Low[i])
				night, co := open-logs[i-1], logs[i]-open
				v = night*night + max(0, 0.5*hl*hl-(2*math.Ln2-1)*co*co)
			}
		}
		sums[i+1] = sums[i] + v
	}
	return sums
}

// harLog is the log volatility of the rows from to to-1. It adds a tenth of the variance of the
// quarter before at, so that a day without a move does not read as calm.
func harLog(sums []float64, from, to, at int) float64 {
	const floor = 1e-6
	mean := func(from, to int) float64 {
		from = max(from, 1)
		return (sums[to] - sums[from]) / float64(max(to-from, 1))
	}
	return 0.5 * math.Log(mean(from, to)+0.1*mean(at-harLongest, at)+floor)
}

func harInputs(sums []float64, i int) (x harRow) {
	x[0] = 1
	for k, span := range harSpans {
		x[k+1] = harLog(sums, i+1-span, i+1, i+1)
	}
	return x
}

func har(ctx context.Context, c *backtest) (method, error) {
	first, last := c.years()
	type systems [model.MaxDays]harSystem
	parts, err := inChunks(ctx, c.panel, func() []systems {
		return make([]systems, last-first+1)
	}, func(part []systems, s *market.Series) {
		sums := dailyVariances(s, s.LogCloses())
		for i := harLongest; i < len(s.Close); i += pooledEvery {
			x := harInputs(sums, i)
			for h := 1; h <= model.MaxDays && i+h < len(s.Close); h++ {
				if year := yearAfter(s.Dates[i+h], first); year < len(part) {
					part[year][h-1].add(&x, harLog(sums, i+1, i+1+h, i+1))
				}
			}
		}
	})
	if err != nil {
		return method{}, err
	}
	coefficients := make([][model.MaxDays]harRow, last-first+1)
	var past systems
	for y := range coefficients {
		for h := range model.MaxDays {
			for _, part := range parts {
				past[h].merge(&part[y][h])
			}
			coefficients[y][h] = past[h].solve()
		}
	}
	return pooledTails(ctx, c, "har", func(s *market.Series, logs []float64) scaler {
		sums := dailyVariances(s, logs)
		return func(i int, _ *market.Features, scale *row) {
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
