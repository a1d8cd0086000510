package server

import (
	"context"
	"math"
	"sync"
	"time"

	"tickercast/model/calibrate"
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
			"coverage_95", r.Level(0.95, 1).Coverage, "skill", r.Skill,
			"took", time.Since(start).Round(time.Millisecond).String())
	})
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
