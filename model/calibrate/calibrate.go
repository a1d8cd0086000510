// Package calibrate moves the bounds of a model by how far they missed on the past of a panel, so
// that a market unlike the training prices is covered as well, and judges what is served by the
// closes that came.
//
// Bounds that were too near move out in full. Bounds that were too far move in only by what noise
// does not explain: most years are calmer than the mean, so a past without a crash looks covered
// better than it is. The doc of package train has the figures behind that choice.
//
// The package fits no network. It compares models with no baseline but the simplest; package train
// has the others.
package calibrate

import (
	"context"
	"math"
	"time"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/internal/pace"
	"tickercast/model/market"
)

const (
	// leastDays is how many trading days a panel must have. One year of a market says next to
	// nothing about the next.
	leastDays = 750
	// maxTickers and maxDates bound the work. The targets of one day are much alike, so more
	// tickers would say little more.
	maxTickers, maxDates = 60, 120
	// leastTargets is how many targets a horizon must have.
	leastTargets = 200
	// doubt is how many standard errors of too much width are left.
	doubt = 1.5
	// maxShift bounds what is added to the log of a width.
	maxShift = 0.5

	// scoresTime is about what a forecast takes with its scores.
	scoresTime = 50 * time.Microsecond
)

// Adjust returns the model with its bounds moved. It uses only targets within the panel, and
// returns a model for a short panel as it is. It stops early when ctx ends.
func Adjust(ctx context.Context, m *model.Model, daily *market.Daily) (*model.Model, error) {
	days := daily.Panel().TradingDays()
	if len(days) < leastDays {
		return m, nil
	}
	index, err := market.NewMarketIndex(ctx, daily)
	if err != nil {
		return nil, err
	}
	scores := scoresOf(ctx, m, daily.Panel().Series(), index, days)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var by [model.MaxDays][model.Levels]float64
	for l, confidence := range model.Confidences {
		var raw [model.MaxDays]float64
		for h := range raw {
			if scores[h].Total >= leastTargets {
				raw[h] = scores[h].Quantile(l, confidence)
			}
		}
		smooth := smoothInLogDays(&raw)
		for h, v := range smooth {
			if v < 0 {
				v = min(0, v+doubt*WidthNoise(h+1, l, len(days)))
			}
			by[h][l] = min(max(v, -maxShift), maxShift)
		}
	}
	p := m.Params()
	for h := range by {
		// Levels that would cross move further out.
		q := &p.Quantiles[h]
		for l := 1; l < model.Levels; l++ {
			for side := range q {
				by[h][l] = max(by[h][l],
					by[h][l-1]+float64(q[side][l-1])-float64(q[side][l])+LeastGap(l))
			}
		}
	}
	return m.Adjusted(&by)
}

// scoresOf collects log(move/distance) for each target: how many times as far the price went as
// the bound on its side. Its quantile at a confidence is what the log distances lack.
func scoresOf(ctx context.Context, m *model.Model, all []market.Series, index *market.MarketIndex,
	days []calendar.Date) *[model.MaxDays]Histogram {
	scores := &[model.MaxDays]Histogram{}
	var origins []calendar.Date
	for i := 0; i < len(days); i += max(1, len(days)/maxDates) {
		origins = append(origins, days[i])
	}
	step := max(1, (len(all)+maxTickers-1)/maxTickers)
	pacer := pace.Of(ctx)
	var logs []float64
	for t := 0; t < len(all) && ctx.Err() == nil; t += step {
		logs = all[t].AppendLogCloses(logs[:0])
		index.WalkOrigins(ctx, &all[t], origins, func(_, i int, x *market.Features) {
			pacer.Worked(scoresTime)
			f := m.Forecast(x[:], model.MaxDays)
			for h := 1; h <= model.MaxDays && i+h < len(logs); h++ {
				side, toward := 1, logs[i+h]-logs[i]-f.Median(h)
				if toward < 0 {
					side, toward = 0, -toward
				}
				far := math.Log(toward)
				scores[h-1].Total++
				for l, d := range &f.Distance(h)[side] {
					scores[h-1].Add(l, far-d, 1)
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

// LeastGap is how far apart the log quantiles of levels l-1 and l stay, rounding included.
func LeastGap(l int) float64 { return model.MinGap(l) + 1e-4 }

// lookDays is the number of trading days that count as one independent look at a market. Its
// tickers move together, and targets overlap.
const lookDays = 60

// widthNoise is the standard error of the log of a width after one look, by level, one day ahead.
// Targets further ahead overlap more. It agrees with date-block bootstraps of coverage over nine
// years of US stocks: 0.6 points at 80 % and one day, 1.4 at 30 days; 0.1 and 0.6 points at 99 %.
var widthNoise = [model.Levels]float64{0.08, 0.08, 0.08, 0.09, 0.12, 0.16}

// WidthNoise returns the standard error of the log of a width, h days ahead at level l, after a
// number of trading days.
func WidthNoise(h, l, tradingDays int) float64 {
	return widthNoise[l] * (1 + 0.4*math.Log(float64(h))) / math.Sqrt(float64(tradingDays)/lookDays)
}
