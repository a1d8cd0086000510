//go:build linux

package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"tickercast/bench/load"
)

// kneeP99 defines the knee. An accepted request may take twice that under overload, whatever its
// p99 was at the knee: just below the knee a few per cent of the rate move it from nothing to 5 ms.
const kneeP99 = 5 * time.Millisecond

// report prints what was measured, and reports whether every target was met.
func (r *run) report(w io.Writer) (allMet bool) {
	fmt.Fprintf(w, "\n%s: knee %.0f requests a second over %d connections, p99 below %v\n\n",
		r.name, r.knee, r.clients, kneeP99)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "offered\ta second\tsent\tgoodput\tof peak\taccepted p50\tp99\trefused\t"+
		"refused p99\tfailed\tserver CPU\tgenerator CPU\tfull again after\t")
	peak := r.goodputPeak()
	for _, p := range r.phases {
		after := "-"
		if n := p.recovery(); n >= 0 {
			after = fmt.Sprintf("%d s", n)
		} else if len(p.slices) > 0 {
			after = "never"
		}
		res := p.result
		refused := res.Statuses[503]
		fmt.Fprintf(table,
			"%s\t%.0f\t%.0f\t%.0f\t%.1f %%\t%v\t%v\t%d\t%v\t%d\t%.0f %%\t%.0f %%\t%s\t\n",
			p.name, p.rate, float64(res.Service.Count())/p.seconds, p.goodput(),
			100*p.goodput()/peak, load.Round(res.Accepted.Quantile(0.5)),
			load.Round(res.Accepted.Quantile(0.99)), refused,
			load.Round(res.Refused.Quantile(0.99)), res.Failed()-res.Unsent-refused,
			100*p.cpu, res.GeneratorCPU*float64(res.Answers)/1e4/res.Seconds, after)
	}
	table.Flush()
	fmt.Fprintf(w, "most memory: %.0f MB of %d MB\n\n", float64(r.memory)/1e6,
		memoryLimit/1_000_000)
	allMet = true
	for _, t := range r.targets() {
		word := "met"
		if !t.met {
			word, allMet = "MISSED", false
		}
		fmt.Fprintf(w, "%-7s %s: %s\n", word, t.want, t.got)
	}
	return allMet
}

func (r *run) goodputPeak() (peak float64) {
	for _, p := range r.phases {
		peak = max(peak, p.goodput())
	}
	return peak
}

// A target is what a run must reach and what it did.
type target struct {
	want, got string
	met       bool
}

func (r *run) targets() (all []target) {
	add := func(met bool, want, got string, args ...any) {
		all = append(all, target{want, fmt.Sprintf(got, args...), met})
	}
	peak, least := r.goodputPeak(), 1.0
	var p99, refusedP99 time.Duration
	var refused int64
	slowest, busiest := 0, 1.0
	for _, p := range r.phases[1:] {
		least = min(least, p.goodput()/peak)
		p99 = max(p99, p.result.Accepted.Quantile(0.99))
		refusedP99 = max(refusedP99, p.result.Refused.Quantile(0.99))
		refused += p.result.Statuses[503]
		busiest = min(busiest, p.cpu)
		if n := p.recovery(); n < 0 || slowest < 0 {
			slowest = -1
		} else {
			slowest = max(slowest, n)
		}
	}
	add(least >= r.keeps, fmt.Sprintf("goodput at least %.0f %% of its peak", 100*r.keeps),
		"%.1f %%", 100*least)
	add(p99 <= 2*kneeP99, fmt.Sprintf("accepted p99 at most %v", 2*kneeP99),
		"%v; at the knee it was %v", load.Round(p99),
		load.Round(r.phases[0].result.Accepted.Quantile(0.99)))
	if r.sheds {
		add(refusedP99 < kneeP99, fmt.Sprintf("refused within %v", kneeP99), "p99 %v of %d",
			load.Round(refusedP99), refused)
	} else {
		add(refused == 0, "none refused", "%d", refused)
	}
	add(slowest >= 0 && slowest <= 5, "full goodput within 5 s of the end",
		"after %d s (-1: never)", slowest)
	add(r.memory <= memoryLimit, fmt.Sprintf("memory within %d MB", memoryLimit/1_000_000),
		"%.0f MB", float64(r.memory)/1e6)
	add(!r.exited, "the same process throughout", "%v", !r.exited)
	add(busiest > 0.9, "the server is the limit and uses 90 % of its core",
		"%.0f %%", 100*busiest)
	return all
}
