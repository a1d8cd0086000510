//go:build linux

package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// report prints what was measured and whether it is what it should be.
func report(w io.Writer, trials []*trial) (stood bool) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table,
		"path, slow part\tconnections\tleft\tslowest ended after\tserver kB each\tserver MB at "+
			"most\tkernel kB each\thealthy p99 before\twhile\tfailed\tprobes\tnot 200\t")
	for _, t := range trials {
		fmt.Fprintf(table, "%s\t%d\t%d\t%v\t%.1f\t%.0f\t%.1f\t%v\t%v\t%d\t%d\t%d\t\n", t.name(),
			t.n, t.left, ms(t.slowest), float64(t.each)/1024, float64(t.most)/1e6,
			float64(t.kernel)/1024,
			ms(t.before.Latency.Quantile(0.99)), ms(t.while.Latency.Quantile(0.99)),
			t.while.Failed(), t.probes.Load(), t.unhealthy.Load())
	}
	table.Flush()
	fmt.Fprintln(w)
	stood = true
	for _, t := range trials {
		for _, missed := range t.missed() {
			fmt.Fprintf(w, "MISSED  %s: %s\n", t.name(), missed)
			stood = false
		}
	}
	if stood {
		fmt.Fprintf(w,
			"met     every connection ended a second after its timeout at the latest, cost less "+
				"than %d kB in the fast lane and %d kB in net/http,\n        and no other client "+
				"noticed\n", paths()[0].bytes>>10, paths()[1].bytes>>10)
	}
	return stood
}

// missed are the targets that were not met.
func (t *trial) missed() (all []string) {
	add := func(missed bool, format string, args ...any) {
		if missed {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	limit := t.kind.timeout + time.Second
	add(t.left > 0, "%d connections never ended", t.left)
	add(t.slowest > limit, "the slowest ended after %v, want %v", ms(t.slowest), limit)
	add(t.each == 0, "there was never a time when all were open")
	add(t.each >= t.path.bytes, "%d bytes for a connection, want less than %d", t.each,
		t.path.bytes)
	// Opening ten thousand connections is load too, and looking after them: what takes a fraction
	// of a millisecond alone may take what it does at the knee.
	p99, allowed := t.while.Latency.Quantile(0.99),
		max(t.before.Latency.Quantile(0.99)*3/2, 5*time.Millisecond)
	add(p99 > allowed, "p99 of the healthy client %v, want %v", ms(p99), ms(allowed))
	add(t.while.Failed() > 0, "%d requests of the healthy client failed", t.while.Failed())
	add(t.unhealthy.Load() > 0, "%d of %d probes without a 200", t.unhealthy.Load(),
		t.probes.Load())
	add(t.exited, "the server has exited")
	return all
}

// ms rounds for print.
func ms(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
