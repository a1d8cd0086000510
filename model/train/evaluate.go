package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/market"
)

// EvalConfig says what to judge, and when.
type EvalConfig struct {
	// Model is judged; it must know the features of package market.
	Model *model.Model
	// From and To limit the origins. Zero From means the first day with MinWarmup days before it,
	// zero To the last day of the panel.
	From, To calendar.Date
	// Every is the number of trading days between origins; zero means 5.
	Every int
	// GARCH adds the GARCH(1,1)-t of each ticker, which takes most of the time.
	GARCH bool
	// Calibrate adjusts the model at the start of each year to the panel's own past, as a server
	// does when it loads the panel.
	Calibrate bool
	// Progress, if not nil, is called after each part of the work, by one goroutine at a time.
	Progress func(done, total int)
}

// MinWarmup is how many trading days of the panel lie before its first origin, unless that is
// given. With fewer before it there are no baselines but EWMA with normal tails: the others are
// fitted on the panel's past, and would be straw men without one.
const MinWarmup = 250

// bounds are one method's forecast: medians and bounds as log returns.
type bounds struct {
	median [model.MaxDays]float64
	bound  [model.MaxDays][2][model.Levels]float64
}

// A forecaster writes its forecast at the close of row i of its series; x holds the features known
// then. It must not look at later rows.
type forecaster func(i int, x *market.Features, b *bounds)

// A method makes a forecaster for each series, given the logs of its closes.
type method struct {
	name   string
	series func(s *market.Series, logs []float64) forecaster
}

// chunks is how many parts the tickers are dealt into. It is fixed, so that sums are formed in the
// same order however many cores there are.
const chunks = 8

// Evaluate judges a model walk-forward: at each origin every method sees the rows up to that day
// alone, and is scored on the closes 1 to 30 rows later.
func Evaluate(ctx context.Context, p *market.Panel, cfg EvalConfig) (*Evaluation, error) {
	if cfg.Model == nil {
		return nil, errors.New("no model to evaluate")
	}
	if !slices.Equal(cfg.Model.FeatureNames(), market.FeatureNames()) {
		return nil, errors.New("the model was fitted on other features than this program's")
	}
	days := tradingDays(p)
	from, to := cfg.From, cmp.Or(cfg.To, p.AsOf())
	if from == 0 && len(days) > MinWarmup {
		from = days[MinWarmup]
	}
	every := cmp.Or(cfg.Every, 5)
	origins := pick(days, from, to, every)
	if len(origins) == 0 {
		return nil, fmt.Errorf("no trading day between %s and %s: the panel has %d days from %s "+
			"to %s", from, to, len(days), days[0], p.AsOf())
	}
	before, _ := slices.BinarySearch(days, origins[0])
	c := &course{panel: p, tape: market.NewTape(p), origins: origins, warm: before >= MinWarmup}
	methods, err := methodsFor(ctx, c, cfg)
	if err != nil {
		return nil, err
	}
	score, err := c.run(ctx, methods, cfg.Progress)
	if err != nil {
		return nil, err
	}
	if score.count[0] == 0 {
		return nil, fmt.Errorf("no ticker has %d closes before and one after an origin between "+
			"%s and %s", market.MinHistory, from, to)
	}
	names := make([]string, len(methods))
	for i := range methods {
		names[i] = methods[i].name
	}
	return summarise(score, c, cfg, every, names), nil
}

// tradingDays lists the days on which any ticker of the panel has a row.
func tradingDays(p *market.Panel) (days []calendar.Date) {
	first, last := p.AsOf(), p.AsOf()
	for i := range p.Series() {
		first = min(first, p.Series()[i].Dates[0])
	}
	seen := make([]bool, last-first+1)
	for i := range p.Series() {
		for _, d := range p.Series()[i].Dates {
			seen[d-first] = true
		}
	}
	for i, yes := range seen {
		if yes {
			days = append(days, first+calendar.Date(i))
		}
	}
	return days
}

func pick(days []calendar.Date, from, to calendar.Date, every int) (origins []calendar.Date) {
	at, _ := slices.BinarySearch(days, from)
	for ; at < len(days) && days[at] <= to; at += every {
		origins = append(origins, days[at])
	}
	return origins
}

// A course is a panel with the days on which to forecast.
type course struct {
	panel   *market.Panel
	tape    *market.Tape
	origins []calendar.Date
	warm    bool // there are MinWarmup days before the first origin
}

// walk calls yield at each origin of each series of a chunk.
func (c *course) walk(s *market.Series, yield func(day, i int, x *market.Features)) {
	c.tape.Walk(s, 0, func(i int) bool {
		_, ok := slices.BinarySearch(c.origins, s.Dates[i])
		return ok
	}, func(i int, x *market.Features) {
		day, _ := slices.BinarySearch(c.origins, s.Dates[i])
		yield(day, i, x)
	})
}

// run scores the methods on all tickers.
func (c *course) run(ctx context.Context, methods []method, progress func(done, total int)) (*score,
	error) {
	var parts [chunks]*score
	all := c.panel.Series()
	done := 0
	var mu sync.Mutex // guards done, and serialises progress
	err := inChunks(ctx, func(k int) {
		part := newScore(len(methods), len(c.origins))
		parts[k] = part
		forecasters := make([]forecaster, len(methods))
		var b bounds
		for t := k; t < len(all) && ctx.Err() == nil; t += chunks {
			s := &all[t]
			logs := logCloses(s)
			for m := range methods {
				forecasters[m] = methods[m].series(s, logs)
			}
			own := newTickerScore()
			c.walk(s, func(day, i int, x *market.Features) {
				if i+1 >= len(logs) {
					return
				}
				for m, f := range forecasters {
					f(i, x, &b)
					part.add(m, day, logs[i:], &b, own)
				}
			})
			part.close(own)
			mu.Lock()
			done++
			if progress != nil {
				progress(done, len(all))
			}
			mu.Unlock()
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

// inChunks calls do for each chunk, on as many goroutines as there are cores.
func inChunks(ctx context.Context, do func(k int)) error {
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(chunks, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for k := range next {
				do(k)
			}
		})
	}
	for k := range chunks {
		next <- k
	}
	close(next)
	wg.Wait()
	return ctx.Err()
}

// methodsFor lists the model and the baselines; the model comes first.
func methodsFor(ctx context.Context, c *course, cfg EvalConfig) ([]method, error) {
	first, _ := c.years()
	models := []*model.Model{cfg.Model}
	if cfg.Calibrate {
		var err error
		if models, err = calibrated(ctx, cfg.Model, c); err != nil {
			return nil, err
		}
	}
	methods := []method{modelMethod(models, first), ewmaNormal()}
	if !c.warm {
		return methods, nil
	}
	pooled, err := ewmaPooled(ctx, c)
	if err != nil {
		return nil, err
	}
	linear, err := har(ctx, c)
	if err != nil {
		return nil, err
	}
	methods = append(methods, pooled, linear)
	if cfg.GARCH {
		methods = append(methods, garch())
	}
	return methods, nil
}

// modelMethod forecasts with the model of the origin's year; models[0] is that of year first.
func modelMethod(models []*model.Model, first int) method {
	return method{"model", func(s *market.Series, _ []float64) forecaster {
		return func(i int, x *market.Features, b *bounds) {
			m := models[min(max(yearOf(s.Dates[i])-first, 0), len(models)-1)]
			f := m.Forecast(x[:], model.MaxDays)
			for h := range model.MaxDays {
				b.median[h] = f.Median(h + 1)
				d := f.Distance(h + 1)
				for l := range model.Levels {
					b.bound[h][0][l] = b.median[h] - math.Exp(d[0][l])
					b.bound[h][1][l] = b.median[h] + math.Exp(d[1][l])
				}
			}
		}
	}}
}

// calibrated returns the model as a server would have adjusted it at the start of each year.
func calibrated(ctx context.Context, m *model.Model, c *course) ([]*model.Model, error) {
	first, last := c.years()
	models := make([]*model.Model, last-first+1)
	for k := range models {
		models[k] = m
		past := c.panel.Until(calendar.Of(first+k, time.January, 1) - 1)
		if len(past.Series()) == 0 {
			continue
		}
		mk, err := market.New(past)
		if errors.Is(err, market.ErrShort) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if models[k], err = Calibrate(m, mk); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return models, nil
}
