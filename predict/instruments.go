package predict

import (
	"context"
	"math"
	"time"

	"tickercast/predict/internal/metrics"
)

// instruments count what a Service does. A hit is not counted where it happens, in the cache, but
// is what is left of the look-ups; so it costs one striped counter.
type instruments struct {
	lookups   *metrics.Counter
	computing *metrics.Histogram
}

func newInstruments(reg *metrics.Registry, s *Service) instruments {
	in := instruments{
		lookups: reg.Counter("predictions_total",
			"Requests for the forecast of a listed ticker, each item of a batch one."),
		computing: reg.Histogram("predict_duration_seconds",
			"Time to compute and encode an answer that was not in the cache."),
	}
	reg.CounterFunc("predict_cache_hits_total", "Answers found in the cache.", func() float64 {
		return float64(s.cache.Stats().Hits(in.lookups.Value()))
	})
	return in
}

// compute is w.answer, once it is admitted, timed.
func (s *Service) compute(ctx context.Context, w *world, k key) ([]byte, error) {
	return s.admitted(ctx, func() ([]byte, error) {
		start := time.Now()
		answer := w.answer(&w.market.Tickers()[k.ticker], int(k.days),
			math.Float64frombits(k.confidence), nil)
		s.instruments.computing.Observe(time.Since(start))
		return answer, nil
	})
}
