package load

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// Knee is the highest rate with p99 below the limit and a 2xx for every request.
type Knee struct {
	Rate  float64    `json:"rate"` // 0 if the first rate was beyond the knee
	Steps []KneeStep `json:"steps"`
}

func (k Knee) String() string { return fmt.Sprintf("knee: %.0f requests a second\n", k.Rate) }

// KneeStep is one rate that was tried.
type KneeStep struct {
	Rate         float64       `json:"rate"`
	OK           bool          `json:"ok"`
	P99          time.Duration `json:"p99_ns"`
	Failed       int64         `json:"failed"`
	GeneratorCPU float64       `json:"generator_cpu_us_per_answer"`
}

func (s KneeStep) String() string {
	verdict := "good"
	if !s.OK {
		verdict = "beyond the knee"
	}
	return fmt.Sprintf("%8.0f a second: p99 %v, %d failed, generator %.1f us: %s", s.Rate, s.P99,
		s.Failed, s.GeneratorCPU, verdict)
}

const (
	maxRate   = 1e6  // highest rate tried
	precision = 0.05 // of the knee: the lowest bad rate is at most that much above
)

// FindKnee looks for the rate at which p99 reaches a limit. It doubles the rate, from cfg.Rate or
// 1000, until a step is beyond the knee and then halves the interval. Every step is a Run of cfg at
// its rate. A step beyond the knee is tried once more, in case something else slowed the machine
// down. step is called after each.
//
// A generator slower than the server finds its own knee: compare GeneratorCPU with the time between
// two requests.
func FindKnee(ctx context.Context, cfg Config, limit time.Duration, step func(KneeStep)) (knee Knee,
	err error) {
	start := cmp.Or(cfg.Rate, 1000)
	if !(start > 0 && start <= maxRate) {
		return knee, fmt.Errorf("load: looking for the knee from %v, want up to %v", start, maxRate)
	}
	knee.Rate, err = search(start, maxRate, precision, func(rate float64) (bool, error) {
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
			s.OK = s.P99 < limit && s.Failed == 0
			knee.Steps = append(knee.Steps, s)
			step(s)
			if s.OK {
				return true, nil
			}
		}
		return false, nil
	})
	return knee, err
}

// search returns the highest rate found to be good, by doubling from start and then by bisection.
func search(start, limit, precision float64,
	good func(rate float64) (bool, error)) (best float64, err error) {
	rate, bad := start, 0.0 // bad is the lowest rate that is not good; 0 if none is known
	for bad == 0 || best > 0 && bad > best*(1+precision) {
		ok, err := good(rate)
		if err != nil {
			return best, err
		}
		if ok {
			best = rate
		} else {
			bad = rate
		}
		switch {
		case bad > 0:
			rate = (best + bad) / 2
		case rate == limit:
			return best, nil
		default:
			rate = min(2*rate, limit)
		}
	}
	return best, nil
}
