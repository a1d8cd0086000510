package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/calibrate"
	"tickercast/model/market"
)

// EvalConfig says what to judge, and when.
type EvalConfig struct {
	// Model is judged; it must know the features of package market.
	Model *model.Model
	// Against, if not nil, is judged on the same origins. It must know the same features.
	Against *model.Model
	// From and To limit the origins. Zero From means the first day with MinWarmup trading days
	// before it. Zero To means the last day of the panel.
	From, To calendar.Date
	// Calendar is that of all tickers. Nil finds that of each.
	Calendar *calendar.Calendar
	// Every is the number of trading days between origins; zero means 5.
	Every int
	// GARCH adds a GARCH(1,1)-t of each ticker, which takes most of the time.
	GARCH bool
	// Calibrate adjusts the model to the past of the panel at the start of each year, as a server
	// does.
	Calibrate bool
	// Progress, if not nil, is called after each part of the work, by one goroutine at a time.
	Progress func(done, total int)
}

// MinWarmup is how many trading days lie before the first origin by default. With fewer, EWMA with
// normal tails is the only baseline: the others are fitted to the past of the panel, and without
// one they would be too easy to beat.
const MinWarmup = 250

// Evaluate judges a model walk-forward: at each origin a method sees only the rows up to that day,
// and is scored on the closes 1 to 30 rows later.
func Evaluate(ctx context.Context, p *market.Panel, cfg EvalConfig) (*Evaluation, error) {
	if cfg.Model == nil {
		return nil, errors.New("no model to evaluate")
	}
	for _, m := range []*model.Model{cfg.Model, cfg.Against} {
		if m != nil && !slices.Equal(m.FeatureNames(), market.FeatureNames()) {
			return nil, fmt.Errorf("the model %s was fitted on other features than this program's",
				m.Version())
		}
	}
	steps := calibrate.Fixed(cfg.Model)
	if cfg.Calibrate {
		steps = calibrate.NewYearly(cfg.Model, p, cfg.Calendar)
	}
	daily, err := market.NewDaily(ctx, p, cfg.Calendar)
	if err != nil {
		return nil, err
	}
	p = daily.Panel()
	days := p.TradingDays()
	from, to := cfg.From, cmp.Or(cfg.To, p.AsOf())
	if from == 0 && len(days) > MinWarmup {
		from = days[MinWarmup]
	}
	every := cmp.Or(cfg.Every, 5)
	origins := pick(days, from, to, every)
	if len(origins) == 0 {
		err := fmt.Errorf("the prices have %d trading days from %s to %s", len(days), days[0],
			p.AsOf())
		switch {
		case cfg.From == 0 && from != 0:
			return nil, fmt.Errorf("%w; the first forecast is by default on %s, when a year lies "+
				"before, so -to %s leaves none: set -from too", err, from, to)
		case cfg.From == 0:
			return nil, fmt.Errorf("%w, and none up to -to %s", err, to)
		case cfg.To == 0:
			return nil, fmt.Errorf("%w, and none from -from %s on", err, from)
		}
		return nil, fmt.Errorf("%w, and none between %s and %s", err, from, to)
	}
	before, _ := slices.BinarySearch(days, origins[0])
	index, err := market.NewMarketIndex(ctx, daily)
	if err != nil {
		return nil, err
	}
	c := &backtest{panel: p, index: index, origins: origins, warm: before >= MinWarmup}
	methods, err := methodsFor(ctx, c, cfg, steps)
	if err != nil {
		return nil, err
	}
	score, err := c.run(ctx, methods, cfg.Progress)
	if err != nil {
		return nil, err
	}
	if score.dates(0, len(origins)) == 0 {
		return nil, fmt.Errorf("no ticker has %d closes before and one after any of the days to "+
			"forecast from, %s to %s", market.MinHistory, origins[0], origins[len(origins)-1])
	}
	e := summarise(score, c, cfg, every, methods)
	e.Refused = daily.Refused()
	e.Calibration, err = calibrate.Judge(ctx, steps, daily, index, origins)
	return e, err
}

// pick returns every nth of the days from from to to.
func pick(days []calendar.Date, from, to calendar.Date, every int) (origins []calendar.Date) {
	at, _ := slices.BinarySearch(days, from)
	for ; at < len(days) && days[at] <= to; at += every {
		origins = append(origins, days[at])
	}
	return origins
}

// methodsFor lists the model first, then the baselines.
func methodsFor(ctx context.Context, c *backtest, cfg EvalConfig,
	steps *calibrate.Yearly) ([]method, error) {
	own, err := modelMethod(ctx, "model", steps, c)
	if err != nil {
		return nil, err
	}
	methods := []method{own, ewmaNormal()}
	if c.warm {
		if methods, err = addFitted(ctx, methods, c, cfg.GARCH); err != nil {
			return nil, err
		}
	}
	if cfg.Against != nil {
		m, err := modelMethod(ctx, cfg.Against.Version(), steps.With(cfg.Against), c)
		if err != nil {
			return nil, err
		}
		methods = append(methods, m)
	}
	return methods, nil
}

// addFitted adds the baselines that are fitted to the past of the panel.
func addFitted(ctx context.Context, methods []method, c *backtest,
	withGARCH bool) ([]method, error) {
	for _, fit := range []func(context.Context, *backtest) (method, error){ewmaPooled, har} {
		m, err := fit(ctx, c)
		if err != nil {
			return nil, err
		}
		methods = append(methods, m)
	}
	if withGARCH {
		methods = append(methods, garch())
	}
	return methods, nil
}

// modelMethod forecasts with the model of the origin's year.
func modelMethod(ctx context.Context, name string, steps *calibrate.Yearly,
	c *backtest) (method, error) {
	first, last := c.years()
	models := make([]*model.Model, last-first+1)
	for k := range models {
		var err error
		if models[k], err = steps.On(ctx, calendar.Of(first+k, time.January, 1)); err != nil {
			return method{}, err
		}
	}
	return method{name, func(s *market.Series, _ []float64) forecaster {
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
	}}, nil
}
