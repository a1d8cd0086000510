//go:build linux

package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// kneeP99 is the p99 that the knee is defined by. What an accepted request may take under overload
// is twice that, whatever p99 the knee itself happened to have: just below it a queue grows from
// nothing to that within a few per cent of the rate.
const kneeP99 = 5 * time.Millisecond

// report prints what was measured and whether it is what it should be.
func (t *trial) report(w io.Writer) (stood bool) {
	fmt.Fprintf(w, "\n%s: knee %.0f requests a second over %d connections, p99 below %v\n\n",
		t.name, t.knee, t.clients, kneeP99)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table,
		"offered\ta second\tsent\tgoodput\tof peak\taccepted p50\tp99\trefused\trefused "+
			"p99\tfailed\tserver CPU\tgenerator CPU\tfull again after\t")
	peak := t.goodputPeak()
	for _, p := range t.phases {
		r := p.result
		after := "-"
		if n := p.recovery(); n >= 0 {
			after = fmt.Sprintf("%d s", n)
		} else if len(p.slices) > 0 {
			after = "never"
		}
		refused, lost := t.refused(p)
		fmt.Fprintf(table,
			"%s\t%.0f\t%.0f\t%.0f\t%.1f %%\t%v\t%v\t%d\t%v\t%d\t%.0f %%\t%.0f %%\t%s\t\n", p.name,
			p.rate, float64(r.Service.Count())/p.seconds,
			p.goodput(), 100*p.goodput()/peak, ms(r.Accepted.Quantile(0.5)),
			ms(r.Accepted.Quantile(0.99)), refused, ms(r.Refused.Quantile(0.99)), lost,
			100*p.cpu, r.GeneratorCPU*float64(r.Answers)/1e4/r.Seconds, after)
	}
	table.Flush()
	fmt.Fprintf(w, "most memory: %.0f MB of %d MB\n\n", float64(t.peak)/1e6, memory/1_000_000)
	stood = true
	for _, v := range t.verdicts() {
		word := "met"
		if !v.met {
			word, stood = "MISSED", false
		}
		fmt.Fprintf(w, "%-7s %s: %s\n", word, v.target, v.got)
	}
	return stood
}

// refused counts what was answered 503, and what got no answer or a wrong one: late, cut off or
// another status.
func (t *trial) refused(p phase) (refused, lost int64) {
	refused = p.result.Statuses[503]
	return refused, p.result.Failed() - p.result.Unsent - refused
}

func (t *trial) goodputPeak() (peak float64) {
	for _, p := range t.phases {
		peak = max(peak, p.goodput())
	}
	return peak
}

// A verdict is a target and what was seen.
type verdict struct {
	target, got string
	met         bool
}

func (t *trial) verdicts() (all []verdict) {
	add := func(met bool, target, got string, args ...any) {
		all = append(all, verdict{target, fmt.Sprintf(got, args...), met})
	}
	peak, least := t.goodputPeak(), 1.0
	var p99, no time.Duration
	var refused int64
	slowest, busiest := 0, 1.0
	for _, p := range t.phases[1:] {
		least = min(least, p.goodput()/peak)
		p99 = max(p99, p.result.Accepted.Quantile(0.99))
		no = max(no, p.result.Refused.Quantile(0.99))
		n, _ := t.refused(p)
		refused += n
		busiest = min(busiest, p.cpu)
		if n := p.recovery(); n < 0 || slowest < 0 {
			slowest = -1
		} else {
			slowest = max(slowest, n)
		}
	}
	add(least >= t.keeps, fmt.Sprintf("goodput at least %.0f %% of its peak", 100*t.keeps),
		"%.1f %%", 100*least)
	add(p99 <= 2*kneeP99, fmt.Sprintf("accepted p99 at most %v, twice that of the knee", 2*kneeP99),
		"%v; at the knee it was %v", ms(p99), ms(t.phases[0].result.Accepted.Quantile(0.99)))
	if t.sheds {
		add(no < 5*time.Millisecond, "refused within 5 ms", "p99 %v of %d", ms(no), refused)
	} else {
		add(refused == 0, "none refused", "%d", refused)
	}
	add(slowest >= 0 && slowest <= 5, "full goodput within 5 s of the end",
		"after %d s (-1: never)", slowest)
	add(t.peak <= memory, fmt.Sprintf("memory within %d MB", memory/1_000_000), "%.0f MB",
		float64(t.peak)/1e6)
	add(!t.exited, "the same process throughout", "%v", !t.exited)
	add(busiest > 0.9, "the server is what is too slow, at 90 % of its core or more", "%.0f %%",
		100*busiest)
	return all
}

// ms rounds for print.
func ms(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
