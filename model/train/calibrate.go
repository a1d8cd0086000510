package train

import (
	"math"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/market"
)

const (
	// calibrateLeast is how many trading days a panel must have. A year of one market says next to
	// nothing of the next.
	calibrateLeast = 750
	// calibrateTickers and calibrateDates bound the work; one day's targets of many tickers are
	// much alike, so more of them would tell little more.
	calibrateTickers, calibrateDates = 60, 120
	// calibrateTargets is how many targets a horizon must have.
	calibrateTargets = 200
	// calibrateDoubt is by how many standard errors a panel must show too much width before any is
	// taken away.
	calibrateDoubt = 1.5
	// calibrateMost bounds what is added to the log of a width.
	calibrateMost = 0.5
)

// Calibrate moves the bounds of a model by how far they were off on a panel's own past, so that a
// market unlike the one fitted on is covered as well. It looks at targets that lie within the panel
// alone. Bounds that were too near move out in full; those that were too far move in only by what
// noise does not explain, for most years are calmer than their mean, and a past without a crash
// looks covered better than it is. A short panel leaves the model as it is.
func Calibrate(m *model.Model, mk *market.Market) (*model.Model, error) {
	days := tradingDays(mk.Panel())
	if len(days) < calibrateLeast {
		return m, nil
	}
	scores := calibrationScores(m, mk, days)
	var by [model.MaxDays][model.Levels]float64
	for l, confidence := range model.Confidences {
		var raw [model.MaxDays]float64
		for h := range raw {
			if scores[h].total >= calibrateTargets {
				raw[h] = scores[h].quantile(l, confidence)
			}
		}
		smooth := smoothInLogDays(&raw)
		for h, v := range smooth {
			if v < 0 {
				v = min(0, v+calibrateDoubt*noise(h+1, l, len(days)))
			}
			by[h][l] = min(max(v, -calibrateMost), calibrateMost)
		}
	}
	p := m.Params()
	for h := range by {
		separateFrom(&p.Quantiles[h], &by[h])
	}
	return m.Adjusted(&by)
}

// calibrationScores counts, by horizon and level, the logs of how many times as far as the bound on
// their side the targets lay. What a share of the confidence stays below is what has to be added to
// the logs of the distances for the past to be covered.
func calibrationScores(m *model.Model, mk *market.Market,
	days []calendar.Date) *[model.MaxDays]histogram {
	scores := &[model.MaxDays]histogram{}
	every := max(1, len(days)/calibrateDates)
	origins := pick(days, days[0], days[len(days)-1], every)
	c := &course{panel: mk.Panel(), tape: mk.Tape(), origins: origins}
	all := mk.Panel().Series()
	step := max(1, (len(all)+calibrateTickers-1)/calibrateTickers)
	for t := 0; t < len(all); t += step {
		s := &all[t]
		logs := logCloses(s)
		c.walk(s, func(_, i int, x *market.Features) {
			if i+1 >= len(logs) {
				return
			}
			f := m.Forecast(x[:], model.MaxDays)
			for h := 1; h <= model.MaxDays && i+h < len(logs); h++ {
				side, toward := 1, logs[i+h]-logs[i]-f.Median(h)
				if toward < 0 {
					side, toward = 0, -toward
				}
				far := math.Log(toward)
				scores[h-1].total++
				for l, d := range &f.Distance(h)[side] {
					scores[h-1].add(l, far-d, 1)
				}
			}
		})
	}
	return scores
}

// smoothInLogDays fits a straight line in log h.
func smoothInLogDays(raw *[model.MaxDays]float64) (line [model.MaxDays]float64) {
	var n, sx, sy, sxx, sxy float64
	for h, y := range raw {
		x := model.Basis[h][1]
		w := 1 / float64(h+1) // even in log h
		n += w
		sx += w * x
		sy += w * y
		sxx += w * x * x
		sxy += w * x * y
	}
	slope := (n*sxy - sx*sy) / (n*sxx - sx*sx)
	for h := range line {
		line[h] = sy/n + slope*(model.Basis[h][1]-sx/n)
	}
	return line
}

// separateFrom raises adjustments of wider levels until no level crosses another on either side.
func separateFrom(q *[2][model.Levels]float32, by *[model.Levels]float64) {
	for l := 1; l < model.Levels; l++ {
		gap := -model.MinTail*(model.TailShape[l]-model.TailShape[l-1]) + 1e-4
		for side := range q {
			by[l] = max(by[l], by[l-1]+float64(q[side][l-1])-float64(q[side][l])+gap)
		}
	}
}
