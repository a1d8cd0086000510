package train

import (
	"context"
	"runtime"
	"sync"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/market"
)

// bounds are the forecast of one method: medians and bounds as log returns.
type bounds struct {
	median row
	bound  [model.MaxDays][2][model.Levels]float64
}

// symmetric sets bounds at equal distances round a median of zero.
func (b *bounds) symmetric(distance func(h, l int) float64) {
	*b = bounds{}
	for h := range b.bound {
		for l := range model.Levels {
			d := distance(h, l)
			b.bound[h][0][l], b.bound[h][1][l] = -d, d
		}
	}
}

// A forecaster writes its forecast at the close of row i of its series. x holds the features known
// then. It must not look at later rows.
type forecaster func(i int, x *market.Features, b *bounds)

// A method makes a forecaster for each series, given the logs of its closes.
type method struct {
	name   string
	series func(s *market.Series, logs []float64) forecaster
}

// A backtest is a panel with the days on which to forecast.
type backtest struct {
	panel   *market.Panel
	index   *market.MarketIndex
	origins []calendar.Date
	warm    bool // there are MinWarmup days before the first origin
}

// run scores the methods on all tickers.
func (c *backtest) run(ctx context.Context, methods []method,
	progress func(done, total int)) (*score, error) {
	done := 0
	var mu sync.Mutex // guards done, and serialises progress
	parts, err := inChunks(ctx, c.panel, func() *score {
		return newScore(len(methods), len(c.origins))
	}, func(part *score, s *market.Series) {
		logs := s.LogCloses()
		forecasters := make([]forecaster, len(methods))
		for m := range methods {
			forecasters[m] = methods[m].series(s, logs)
		}
		var own dayScore
		var b bounds
		c.index.WalkOrigins(ctx, s, c.origins, func(day, i int, x *market.Features) {
			for m, f := range forecasters {
				f(i, x, &b)
				part.add(m, day, logs[i:], &b, &own)
			}
		})
		part.close(&own)
		mu.Lock()
		defer mu.Unlock()
		done++
		if progress != nil {
			progress(done, len(c.panel.Series()))
		}
	})
	if err != nil {
		return nil, err
	}
	for _, part := range parts[1:] {
		parts[0].merge(part)
	}
	return parts[0], nil
}

// chunks is how many parts the tickers are dealt into. It is fixed, so that sums have the same
// order on any number of cores.
const chunks = 8

// inChunks deals the series of a panel into chunks and adds each to the part of its chunk, on all
// cores.
func inChunks[P any](ctx context.Context, p *market.Panel, newPart func() P,
	add func(part P, s *market.Series)) ([]P, error) {
	parts := make([]P, chunks)
	all := p.Series()
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(chunks, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for k := range next {
				parts[k] = newPart()
				for t := k; t < len(all) && ctx.Err() == nil; t += chunks {
					add(parts[k], &all[t])
				}
			}
		})
	}
	for k := range chunks {
		next <- k
	}
	close(next)
	wg.Wait()
	return parts, ctx.Err()
}
