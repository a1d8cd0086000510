package server

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"tickercast/model/calibrate"
	"tickercast/model/market"
	"tickercast/model/source"
	"tickercast/predict/internal/metrics"
)

// A judge compares past forecasts of what is served with the closes that came, in the background
// and one at a time: what is loaded next ends the work on what was served before.
type judge struct {
	mu     sync.Mutex
	cancel context.CancelFunc // of the work under way; nil before the first
	done   chan struct{}      // closed when that ends
}

// begin ends the work under way and calls work in a goroutine.
func (j *judge) begin(work func(context.Context)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.endLocked()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	j.cancel, j.done = cancel, done
	go func() {
		defer close(done)
		work(ctx)
	}()
}

func (j *judge) end() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.endLocked()
}

func (j *judge) endLocked() {
	if j.cancel != nil {
		j.cancel()
		<-j.done
	}
}

// calibrate judges what has just been loaded.
func (s *Server) calibrate() {
	s.judge.begin(func(ctx context.Context) {
		start := time.Now()
		r, err := s.service.Calibrate(ctx, s.cfg.CalibrationDays)
		if err != nil || r == nil {
			return
		}
		s.logger.Info("calibration", "from", r.From.String(), "to", r.To.String(),
			"origins", r.Origins, "forecasts", r.Forecasts,
			"coverage_95", finiteOrNil(r.Level(0.95, 1).Coverage),
			"skill", finiteOrNil(r.Skill),
			"too_few", finiteOrNil(r.TooFew), "too_many", finiteOrNil(r.TooMany),
			"took", time.Since(start).Round(time.Millisecond).String())
	})
}

// preferBetter compares weights that have just been loaded with those that are served, on the last
// sessions of the prices, and logs which are better. With Config.KeepBetter it returns the old ones
// if the new ones are worse by more than two standard errors, and the error that says so.
func (s *Server) preferBetter(ctx context.Context, steps *calibrate.Yearly,
	mk *market.Market) (_ *calibrate.Yearly, worse, err error) {
	served := s.service.Steps()
	if served == nil || steps == nil || mk == nil ||
		steps.Base().Version() == served.Base().Version() ||
		!slices.Equal(steps.Base().FeatureNames(), served.Base().FeatureNames()) {
		return steps, nil, nil
	}
	old := steps.With(served.Base())
	daily := mk.Daily()
	c, err := calibrate.Compare(ctx, steps, old, daily, mk.MarketIndex(),
		calibrate.Origins(daily, cmp.Or(s.cfg.CalibrationDays, Default().CalibrationDays)))
	if err != nil {
		return nil, nil, err
	}
	s.logger.Info("weights compared", "new", steps.Base().Version(), "old", old.Base().Version(),
		"loss_lower_by", finiteOrNil(c.Difference), "standard_error", finiteOrNil(c.StandardError),
		"origins", c.Origins)
	if !s.cfg.KeepBetter || !c.Worse() {
		return steps, nil, nil
	}
	return old, &source.Error{Resource: "weights", Err: fmt.Errorf("weights %s lose %.2f %% more "+
		"than %s on the last %d sessions (standard error %.2f), which -keep-better refuses",
		steps.Base().Version(), -100*c.Difference, old.Base().Version(), c.Origins,
		100*c.StandardError)}, nil
}

// finiteOrNil is for the log: JSON has no NaN.
func finiteOrNil(n calibrate.Number) any {
	if n.Finite() {
		return float64(n)
	}
	return nil
}

// registerCalibration adds the metrics of what judge finds. They are NaN until it has.
func (s *Server) registerCalibration() {
	s.registry.GaugeFunc("tickercast_calibration_forecasts",
		"Past forecasts that were compared with the closes that came.", func() float64 {
			if r := s.service.Calibration(); r != nil {
				return float64(r.Forecasts)
			}
			return 0
		})
	level := func(c float64, h int, value func(calibrate.LevelReport) calibrate.Number) float64 {
		if r := s.service.Calibration(); r != nil {
			return float64(value(r.Level(c, h)))
		}
		return math.NaN()
	}
	for closes, value := range map[string]func(*calibrate.Report) calibrate.Number{
		"few":  func(r *calibrate.Report) calibrate.Number { return r.TooFew },
		"many": func(r *calibrate.Report) calibrate.Number { return r.TooMany },
	} {
		s.registry.GaugeFunc("tickercast_coverage_beyond_chance",
			"How far the share of closes inside past intervals is off, because too few or too many "+
				"were, over all confidences: above 1, by more than chance explains.", func() float64 {
				if r := s.service.Calibration(); r != nil {
					return float64(value(r))
				}
				return math.NaN()
			}, metrics.Label{Name: "closes", Value: closes})
	}
	for _, l := range calibrate.JudgedLevels() {
		labels := []metrics.Label{{Name: "confidence", Value: l.ConfidenceText()},
			{Name: "horizon", Value: l.HorizonText()}}
		s.registry.GaugeFunc("tickercast_coverage_ratio",
			"Share of the closes that came inside the intervals of past forecasts, by "+
				"confidence and trading days ahead.", func() float64 {
				return level(l.Confidence, l.Horizon,
					func(r calibrate.LevelReport) calibrate.Number { return r.Coverage })
			}, labels...)
		s.registry.GaugeFunc("tickercast_coverage_standard_error",
			"Standard error of tickercast_coverage_ratio, clustered by date.", func() float64 {
				return level(l.Confidence, l.Horizon,
					func(r calibrate.LevelReport) calibrate.Number { return r.StandardError })
			}, labels...)
	}
}
