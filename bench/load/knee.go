package load

import (
	"context"
	"fmt"
	"time"
)

// KneeConfig says where to look for the knee and what counts as beyond it. The zero value is ready.
type KneeConfig struct {
	Start float64       // first rate tried; 0 means 1000 a second
	Max   float64       // highest rate tried; 0 means a million a second
	P99   time.Duration // p99 must be below; 0 means 5 ms
	// how close the highest good and the lowest bad rate must come; 0 means 0.05
	Precision float64
}

// Knee is the highest rate that a server stood: p99 in the limit and no request without its 2xx.
type Knee struct {
	Rate  float64    `json:"rate"` // 0: not even the first
	Steps []KneeStep `json:"steps"`
}

// KneeStep is one rate that was tried.
type KneeStep struct {
	Rate         float64       `json:"rate"`
	OK           bool          `json:"ok"`
	P99          time.Duration `json:"p99_ns"`
	Failed       int64         `json:"failed"`
	GeneratorCPU float64       `json:"generator_cpu_us_per_answer"`
}

// FindKnee doubles the rate until a step is beyond the knee and then halves the interval. Every
// step is a Run of cfg at its rate; one that is beyond the knee is tried once more, so that a
// hiccup of the machine is not taken for the server's. step, if not nil, is called after each. A
// generator that is slower than the server finds its own knee: compare GeneratorCPU with the time
// between two requests.
func FindKnee(ctx context.Context, cfg Config, k KneeConfig, step func(KneeStep)) (Knee, error) {
	if k.P99 == 0 {
		k.P99 = 5 * time.Millisecond
	}
	if k.Start == 0 {
		k.Start = 1000
	}
	if k.Max == 0 {
		k.Max = 1e6
	}
	if k.Precision == 0 {
		k.Precision = 0.05
	}
	if !(k.Start > 0 && k.Start <= k.Max && k.Max <= 10e6 && k.Precision > 0) {
		return Knee{}, fmt.Errorf("load: knee from %v to %v with precision %v: no such search",
			k.Start, k.Max, k.Precision)
	}
	var knee Knee
	var err error
	knee.Rate, err = search(k.Start, k.Max, k.Precision, func(rate float64) (bool, error) {
		for range 2 {
			cfg.Rate = rate
			r, err := Run(ctx, cfg)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return false, err
			}
			s := KneeStep{Rate: rate, P99: r.Latency.Quantile(0.99), Failed: r.Failed(),
				GeneratorCPU: r.GeneratorCPU}
			s.OK = s.P99 < k.P99 && s.Failed == 0
			knee.Steps = append(knee.Steps, s)
			if step != nil {
				step(s)
			}
			if s.OK {
				return true, nil
			}
		}
		return false, nil
	})
	return knee, err
}

// search returns the highest rate found to be good, from start by doubling and then by bisection.
func search(start, limit, precision float64, good func(rate float64) (bool, error)) (float64,
	error) {
	best, bad := 0.0, 0.0
	for rate := start; bad == 0; rate = min(2*rate, limit) {
		ok, err := good(rate)
		if err != nil {
			return best, err
		}
		if !ok {
			bad = rate
			break
		}
		best = rate
		if rate == limit {
			return best, nil
		}
	}
	for best > 0 && bad > best*(1+precision) {
		mid := (best + bad) / 2
		ok, err := good(mid)
		if err != nil {
			return best, err
		}
		if ok {
			best = mid
		} else {
			bad = mid
		}
	}
	return best, nil
}
