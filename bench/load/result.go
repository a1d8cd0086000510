package load

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Result is what a run measured.
type Result struct {
	Mode    string  `json:"mode"` // "open" or "closed"
	Conns   int     `json:"conns"`
	Rate    float64 `json:"rate,omitempty"` // requests due each second
	Poisson bool    `json:"poisson,omitempty"`

	Seconds    float64       `json:"seconds"`
	Answers    int64         `json:"answers"` // whole responses of any status
	PerSecond  float64       `json:"answers_per_second"`
	Good       int64         `json:"good"` // 2xx within Timeout of when the request was due
	Statuses   map[int]int64 `json:"statuses"`
	Unsent     int64         `json:"unsent,omitempty"`  // due, but given up
	Retries    int64         `json:"retries,omitempty"` // requests that were sent again
	Reconnects int64         `json:"reconnects,omitempty"`
	Closes     int64         `json:"closes,omitempty"` // answers with Connection: close
	BytesRead  int64         `json:"bytes_read"`
	// Errors counts "dial", "timeout", "closed", "malformed" and "unexpected".
	Errors map[string]int64 `json:"errors,omitempty"`

	// GeneratorCPU is the CPU time of this process for an answer, in microseconds; see ProcessCPU.
	GeneratorCPU float64 `json:"generator_cpu_us_per_answer"`

	Latency  *Histogram `json:"latency"`  // from the time a request was due
	Service  *Histogram `json:"service"`  // from the time it was sent
	Accepted *Histogram `json:"accepted"` // Latency of answers with 2xx
	Refused  *Histogram `json:"refused"`  // Service of all other answers
}

func newResult(cfg Config) *Result {
	r := &Result{Mode: "closed", Conns: cfg.Conns, Rate: cfg.Rate, Poisson: cfg.Poisson,
		Statuses: make(map[int]int64), Errors: make(map[string]int64),
		Latency: new(Histogram), Service: new(Histogram),
		Accepted: new(Histogram), Refused: new(Histogram)}
	if cfg.Rate > 0 {
		r.Mode = "open"
	}
	return r
}

// count counts an answer by its times since it was due (latency) and since it was sent (service),
// and reports whether it is a 2xx within the limit.
func (r *Result) count(status int, latency, service, limit time.Duration) (good bool) {
	r.Answers++
	r.Statuses[status]++
	if !isSuccess(status) {
		r.Refused.Record(service)
		return false
	}
	r.Accepted.Record(latency)
	if latency > limit {
		return false
	}
	r.Good++
	return true
}

func isSuccess(status int) bool { return status >= 200 && status <= 299 }

// finish sets what is known at the end only.
func (r *Result) finish(elapsed, cpu time.Duration) {
	r.Seconds = elapsed.Seconds()
	r.PerSecond = float64(r.Answers) / r.Seconds
	if r.Answers > 0 {
		r.GeneratorCPU = cpu.Seconds() * 1e6 / float64(r.Answers)
	}
}

// Failed is the number of requests that got no 2xx or an unexpected one.
func (r *Result) Failed() int64 {
	n := r.Unsent
	for _, e := range r.Errors {
		n += e
	}
	for status, e := range r.Statuses {
		if !isSuccess(status) {
			n += e
		}
	}
	return n
}

// String is the result as text of several lines.
func (r *Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s loop, %d connections", r.Mode, r.Conns)
	if r.Rate > 0 {
		fmt.Fprintf(&b, ", %.0f requests due a second", r.Rate)
		if r.Poisson {
			b.WriteString(" (Poisson)")
		}
	}
	fmt.Fprintf(&b, "\n%d answers in %.2f s: %.0f a second, %.1f MB/s\n", r.Answers, r.Seconds,
		r.PerSecond, float64(r.BytesRead)/1e6/r.Seconds)
	for _, status := range slices.Sorted(maps.Keys(r.Statuses)) {
		fmt.Fprintf(&b, "status %d: %d\n", status, r.Statuses[status])
	}
	for _, name := range slices.Sorted(maps.Keys(r.Errors)) {
		fmt.Fprintf(&b, "error %s: %d\n", name, r.Errors[name])
	}
	fmt.Fprintf(&b, "%d never sent, %d retried, %d reconnects, told to close %d times\n", r.Unsent,
		r.Retries, r.Reconnects, r.Closes)
	name := "latency"
	for _, h := range []*Histogram{r.Latency, r.Service} {
		fmt.Fprintf(&b,
			"%s: mean %v, p50 %v, p90 %v, p99 %v, p99.9 %v, max %v; over 100 ms: %.4f %%\n", name,
			Round(h.Mean()), Round(h.Quantile(0.5)), Round(h.Quantile(0.9)),
			Round(h.Quantile(0.99)), Round(h.Quantile(0.999)), Round(h.Max()),
			100*h.ShareAbove(100*time.Millisecond))
		if r.Rate == 0 {
			break // in a closed loop both are the same
		}
		name = "from sending"
	}
	if r.GeneratorCPU > 0 {
		fmt.Fprintf(&b, "generator: %.2f us of CPU an answer\n", r.GeneratorCPU)
	}
	return b.String()
}

// Round rounds a duration to three or four digits for print.
func Round(d time.Duration) time.Duration {
	switch {
	case d > time.Second:
		return d.Round(time.Millisecond)
	case d > time.Millisecond:
		return d.Round(time.Microsecond)
	}
	return d.Round(100 * time.Nanosecond)
}
