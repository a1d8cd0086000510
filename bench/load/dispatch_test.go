package load

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// TestOverload asks for ten times what the server can do. Run works off the backlog for Timeout and
// counts the rest with the time it had waited.
func TestOverload(t *testing.T) {
	delay := func(int) time.Duration { return 10 * time.Millisecond }
	cfg := Config{Conns: 1, Rate: 1000, Duration: time.Second, Timeout: 2 * time.Second}
	for _, count := range []int64{0, 900} {
		cfg.Count = count
		due := count
		if due == 0 {
			due = 1000
		}
		simulate(t, delay, cfg, func(t *testing.T, r *Result) {
			if r.Answers+r.Unsent != due || r.Answers < 299 || r.Answers > 302 ||
				r.Failed() != r.Unsent {
				t.Errorf("%d answered, %d never sent, %d failed; want about 300 of %d", r.Answers,
					r.Unsent, r.Failed(), due)
			}
			if r.Latency.Count() != due || r.Latency.Max() < 2600*time.Millisecond {
				t.Errorf("%d latencies up to %v, want all %d and 2.7 s", r.Latency.Count(),
					r.Latency.Max(), due)
			}
		})
	}
}

// TestPatience offers twice what one connection can take. Requests that wait for more than 5 ms are
// given up.
func TestPatience(t *testing.T) {
	delay := func(int) time.Duration { return 20 * time.Millisecond }
	cfg := Config{Conns: 1, Rate: 100, Duration: time.Second, Patience: 5 * time.Millisecond}
	simulate(t, delay, cfg, func(t *testing.T, r *Result) {
		if r.Answers != 50 || r.Unsent != 50 || r.Good != 50 {
			t.Errorf("%d answers, %d good, %d unsent, want 50 each", r.Answers, r.Good, r.Unsent)
		}
		if got := r.Accepted.Max(); got > 25*time.Millisecond {
			t.Errorf("slowest %v, want 25 ms at most", got)
		}
	})
}

// TestRetries has every third answer come late: it does not count as good, and the request is sent
// again at once.
func TestRetries(t *testing.T) {
	delay := func(n int) time.Duration {
		if n%3 == 0 {
			return 30 * time.Millisecond
		}
		return time.Millisecond
	}
	cfg := Config{Conns: 1, Rate: 10, Duration: time.Second, Timeout: 20 * time.Millisecond,
		Retries: 2}
	simulate(t, delay, cfg, func(t *testing.T, r *Result) {
		if r.Good != 10 || r.Retries != 4 || r.Errors["timeout"] != 4 || r.Accepted.Count() != 10 {
			t.Errorf("%d good, %d retries, errors %v; want 10, 4, 4 of them timeouts", r.Good,
				r.Retries, r.Errors)
		}
	})
}

// TestGood counts answers by status.
func TestGood(t *testing.T) {
	var status atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(int(status.Load()))
	}))
	defer srv.Close()
	for code, want := range map[int64]int64{200: 5, 503: 0} {
		status.Store(code)
		r, err := Run(t.Context(), Config{Addr: srv.Listener.Addr().String(), Requests: constant,
			Conns: 1, Rate: 1000, Count: 5, Retries: 1})
		if err != nil {
			t.Fatal(err)
		}
		if r.Good != want || r.Accepted.Count() != want || r.Refused.Count() != 2*(5-want) ||
			r.Retries != 5-want {
			t.Errorf("status %d: %d good, %d accepted, %d refused, %d retries", code, r.Good,
				r.Accepted.Count(), r.Refused.Count(), r.Retries)
		}
	}
}

func TestGaps(t *testing.T) {
	r := run{cfg: Config{Rate: 3}}
	gap := r.gaps()
	var sum time.Duration
	for range 3_000_000 {
		sum += gap()
	}
	if off := sum - 1_000_000*time.Second; off < -time.Millisecond || off > time.Millisecond {
		t.Errorf("3,000,000 gaps at 3 a second take %v, want 1,000,000 s", sum)
	}
	r.cfg = Config{Rate: 1000, Poisson: true, Seed: 7}
	gap = r.gaps()
	var h Histogram
	for range 200_000 {
		h.Record(gap())
	}
	// An exponential distribution: mean 1 ms, median ln 2 ms, a share of e^-3 above 3 ms.
	for name, v := range map[string][2]float64{
		"mean":            {h.Mean().Seconds() * 1e3, 1},
		"median":          {h.Quantile(0.5).Seconds() * 1e3, 0.6931},
		"share over 3 ms": {h.ShareAbove(3 * time.Millisecond), 0.0498},
	} {
		if v[0] < v[1]*0.97 || v[0] > v[1]*1.03 {
			t.Errorf("Poisson gaps: %s = %v, want %v", name, v[0], v[1])
		}
	}
}

func TestClockSleepsLongEnough(t *testing.T) {
	c := newClock()
	defer c.close()
	for _, d := range []time.Duration{-1, 0, 1, 30 * time.Microsecond, 3 * time.Millisecond} {
		began := time.Now()
		c.sleep(d)
		if got := time.Since(began); got < d {
			t.Errorf("sleep(%v) took %v", d, got)
		}
	}
}
