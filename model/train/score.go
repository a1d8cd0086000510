package train

import (
	"math"

	"tickercast/model"
)

// score sums what the methods forecast against what came. The first method is the model, of which
// more is kept.
type score struct {
	loss  [][model.MaxDays][2][model.Levels]float64 // by method: sums of pinball losses
	hits  [][model.MaxDays][model.Levels]float64    // by method: targets inside
	count [model.MaxDays]float64
	days  []dayScore

	medianError, noChange [model.MaxDays]float64 // sums of |price error| over the last close

	tickers  float64                              // with minOwn targets
	astray   [model.MaxDays][model.Levels]float64 // of those, how many miss by astrayBy
	rejected [model.Levels]float64                // of those, by Kupiec's test at h = 1
}

// dayScore is what one origin adds.
type dayScore struct {
	count [model.MaxDays]float64
	loss  [][model.MaxDays]float64 // by method: over all levels
	hits  [model.MaxDays][model.Levels]float64
}

func newScore(methods, days int) *score {
	s := &score{
		loss: make([][model.MaxDays][2][model.Levels]float64, methods),
		hits: make([][model.MaxDays][model.Levels]float64, methods),
		days: make([]dayScore, days),
	}
	losses := make([][model.MaxDays]float64, methods*days)
	for d := range s.days {
		s.days[d].loss = losses[d*methods : (d+1)*methods]
	}
	return s
}

// tickerScore counts one ticker's targets inside the model's intervals.
type tickerScore struct {
	count [model.MaxDays]float64
	hits  [model.MaxDays][model.Levels]float64
}

func newTickerScore() *tickerScore { return &tickerScore{} }

// pinball returns the loss of a bound on one side that lies d from the median, when the target lies
// toward that side by t.
func pinball(p, d, t float64) float64 {
	if t >= d {
		return (1 - p) * (t - d)
	}
	return p * (d - t)
}

// add scores one method's forecast from the close logs[0] on the closes after it.
func (s *score) add(m, day int, logs []float64, b *bounds, own *tickerScore) {
	d := &s.days[day]
	for h := 0; h < model.MaxDays && h+1 < len(logs); h++ {
		r := logs[h+1] - logs[0]
		total := 0.0
		for l, p := range &tails {
			lower, upper := b.bound[h][0][l], b.bound[h][1][l]
			a, z := pinball(p, -lower, -r), pinball(p, upper, r)
			s.loss[m][h][0][l] += a
			s.loss[m][h][1][l] += z
			total += a + z
			if lower <= r && r <= upper {
				s.hits[m][h][l]++
				if m == 0 {
					d.hits[h][l]++
					own.hits[h][l]++
				}
			}
		}
		d.loss[m][h] += total
		if m == 0 {
			s.count[h]++
			d.count[h]++
			own.count[h]++
			s.medianError[h] += math.Abs(math.Exp(r) - math.Exp(b.median[h]))
			s.noChange[h] += math.Abs(math.Exp(r) - 1)
		}
	}
}

const (
	minOwn   = 100  // targets of a ticker, for its own coverage to tell something
	astrayBy = 0.05 // of coverage
)

// close adds a ticker's own coverage to the counts over tickers.
func (s *score) close(own *tickerScore) {
	if own.count[0] < minOwn {
		return
	}
	s.tickers++
	for h := range model.MaxDays {
		for l, c := range model.Confidences {
			if own.count[h] > 0 && math.Abs(own.hits[h][l]/own.count[h]-c) > astrayBy {
				s.astray[h][l]++
			}
		}
	}
	for l, c := range model.Confidences {
		if kupiec(own.count[0], own.count[0]-own.hits[0][l], 1-c) > kupiecLimit {
			s.rejected[l]++
		}
	}
}

func (s *score) merge(o *score) {
	for m := range s.loss {
		for h := range model.MaxDays {
			for l := range model.Levels {
				s.loss[m][h][0][l] += o.loss[m][h][0][l]
				s.loss[m][h][1][l] += o.loss[m][h][1][l]
				s.hits[m][h][l] += o.hits[m][h][l]
			}
		}
	}
	for h := range model.MaxDays {
		s.count[h] += o.count[h]
		s.medianError[h] += o.medianError[h]
		s.noChange[h] += o.noChange[h]
		for l := range model.Levels {
			s.astray[h][l] += o.astray[h][l]
		}
	}
	s.tickers += o.tickers
	for l := range s.rejected {
		s.rejected[l] += o.rejected[l]
	}
	for i := range s.days {
		d, e := &s.days[i], &o.days[i]
		for h := range model.MaxDays {
			d.count[h] += e.count[h]
			for m := range d.loss {
				d.loss[m][h] += e.loss[m][h]
			}
			for l := range model.Levels {
				d.hits[h][l] += e.hits[h][l]
			}
		}
	}
}
