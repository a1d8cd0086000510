package load

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// tally is what the connections count into while they run.
type tally struct {
	latency, service  Histogram
	accepted, refused Histogram
	statuses          [1000]atomic.Int64
	bytes, reconnects atomic.Int64
	closes            atomic.Int64
	good, retries     atomic.Int64

	mu     sync.Mutex
	errors map[string]int64 // guarded by mu
}

// answer counts an answer that came so long after it was due and after it was sent, and reports
// whether it is what the client wanted.
func (t *tally) answer(status int, took, service, limit time.Duration) (good bool) {
	t.statuses[status%1000].Add(1)
	if status < 200 || status > 299 {
		t.refused.Record(service)
		return false
	}
	t.accepted.Record(took)
	if took > limit {
		return false
	}
	t.good.Add(1)
	return true
}

func (t *tally) fail(kind string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.errors == nil {
		t.errors = make(map[string]int64)
	}
	t.errors[kind]++
}

func (t *tally) progress(elapsed time.Duration) Progress {
	p := Progress{Elapsed: elapsed, Requests: t.latency.Count(), P99: t.latency.Quantile(0.99)}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range t.errors {
		p.Errors += n
	}
	return p
}

func (t *tally) result(cfg Config, elapsed time.Duration, unsent int64, cpu time.Duration) *Result {
	r := &Result{
		Mode: "closed", Conns: cfg.Conns, Rate: cfg.Rate, Poisson: cfg.Poisson,
		Seconds: elapsed.Seconds(), Unsent: unsent, Reconnects: t.reconnects.Load(),
		Closes: t.closes.Load(), BytesRead: t.bytes.Load(),
		Good: t.good.Load(), Retries: t.retries.Load(),
		Statuses: make(map[int]int64), Errors: t.errors,
		Latency: &t.latency, Service: &t.service, Accepted: &t.accepted, Refused: &t.refused,
	}
	if cfg.Rate > 0 {
		r.Mode = "open"
	}
	for status := range t.statuses {
		if n := t.statuses[status].Load(); n > 0 {
			r.Statuses[status] = n
			r.Answers += n
		}
	}
	r.PerSecond = float64(r.Answers) / r.Seconds
	if r.Answers > 0 {
		r.GeneratorCPU = cpu.Seconds() * 1e6 / float64(r.Answers)
	}
	return r
}

// Result is what a run measured. Its JSON form holds the whole histograms, so that several results
// can be merged.
type Result struct {
	Mode    string  `json:"mode"` // "open" or "closed"
	Conns   int     `json:"conns"`
	Rate    float64 `json:"rate,omitempty"` // requests due each second
	Poisson bool    `json:"poisson,omitempty"`

	Seconds   float64 `json:"seconds"`
	Answers   int64   `json:"answers"` // whole responses, whatever their status
	PerSecond float64 `json:"answers_per_second"`
	// answers with 2xx, within Timeout of the time the request was due
	Good     int64         `json:"good"`
	Statuses map[int]int64 `json:"statuses"`
	// "dial", "timeout", "closed", "malformed", "unexpected"
	Errors     map[string]int64 `json:"errors,omitempty"`
	Unsent     int64            `json:"unsent,omitempty"`  // due, but given up
	Retries    int64            `json:"retries,omitempty"` // requests that were sent again
	Reconnects int64            `json:"reconnects,omitempty"`
	// answers after which the server would take no more on their connection
	Closes    int64 `json:"closes,omitempty"`
	BytesRead int64 `json:"bytes_read"`

	// GeneratorCPU is the CPU time of this process for an answer, in microseconds; on a system that
	// is no Unix it is the time of the run.
	GeneratorCPU float64 `json:"generator_cpu_us_per_answer"`

	Latency *Histogram `json:"latency"` // from the time a request was due
	Service *Histogram `json:"service"` // from the time it was sent

	Accepted *Histogram `json:"accepted"` // Latency of answers with 2xx
	// Service of all other answers: how long a client waits for a no
	Refused *Histogram `json:"refused"`
}

// Failed is the number of requests without an answer as it should be: an error, or never sent, or a
// status other than 2xx.
func (r *Result) Failed() int64 {
	n := r.Unsent
	for _, e := range r.Errors {
		n += e
	}
	for status, e := range r.Statuses {
		if status < 200 || status > 299 {
			n += e
		}
	}
	return n
}

// String is the result for a reader.
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
	for _, kind := range slices.Sorted(maps.Keys(r.Errors)) {
		fmt.Fprintf(&b, "error %s: %d\n", kind, r.Errors[kind])
	}
	if r.Unsent > 0 {
		fmt.Fprintf(&b, "never sent: %d\n", r.Unsent)
	}
	if r.Retries > 0 {
		fmt.Fprintf(&b, "retried: %d times\n", r.Retries)
	}
	if r.Reconnects > 0 {
		fmt.Fprintf(&b, "reconnected: %d times\n", r.Reconnects)
	}
	if r.Closes > 0 {
		fmt.Fprintf(&b, "told to close: %d times\n", r.Closes)
	}
	name := "latency"
	for _, h := range []*Histogram{r.Latency, r.Service} {
		fmt.Fprintf(&b,
			"%s: mean %v, p50 %v, p90 %v, p99 %v, p99.9 %v, max %v; over 100 ms: %.4f %%\n", name,
			round(h.Mean()), round(h.Quantile(0.5)), round(h.Quantile(0.9)),
			round(h.Quantile(0.99)), round(h.Quantile(0.999)),
			round(h.Max()), 100*h.ShareAbove(100*time.Millisecond))
		if r.Rate == 0 {
			break // sent at once, so both are the same
		}
		name = "from sending"
	}
	if r.GeneratorCPU > 0 {
		fmt.Fprintf(&b, "generator: %.2f us of CPU an answer\n", r.GeneratorCPU)
	}
	return b.String()
}

// round cuts a duration to three or four digits for print.
func round(d time.Duration) time.Duration {
	switch {
	case d > time.Second:
		return d.Round(time.Millisecond)
	case d > time.Millisecond:
		return d.Round(time.Microsecond)
	}
	return d.Round(100 * time.Nanosecond)
}
