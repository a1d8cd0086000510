//go:build linux

package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"tickercast/bench/load"
)

// report prints what was measured, and reports whether every target was met.
func report(w io.Writer, runs []*run) (allMet bool) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "path, slow part\tconnections\tleft\tslowest ended after\tserver kB each\t"+
		"server MB at most\tp99 before\twhile\tfailed\tprobes\tnot 200\t")
	for _, r := range runs {
		fmt.Fprintf(table, "%s\t%d\t%d\t%v\t%.1f\t%.0f\t%v\t%v\t%d\t%d\t%d\t\n", r.name(),
			r.n, r.left, load.Round(r.slowest), float64(r.each)/1024, float64(r.most)/1e6,
			load.Round(r.before.P99), load.Round(r.while.P99), r.while.Failed, r.probes,
			r.unhealthy)
	}
	table.Flush()
	fmt.Fprintln(w)
	allMet = true
	for _, r := range runs {
		for _, missed := range r.missed() {
			fmt.Fprintf(w, "MISSED  %s: %s\n", r.name(), missed)
			allMet = false
		}
	}
	if allMet {
		fmt.Fprintf(w, "met     every connection ended within a second of its timeout and cost "+
			"less than %d kB\n        in the fast lane and %d kB in net/http, and no other client "+
			"noticed\n", paths()[0].bytes>>10, paths()[1].bytes>>10)
	}
	return allMet
}

// missed returns the targets that were not met.
func (r *run) missed() (all []string) {
	add := func(missed bool, format string, args ...any) {
		if missed {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	limit := r.scenario.timeout + time.Second
	add(r.left > 0, "%d connections never ended", r.left)
	add(r.slowest > limit, "the slowest ended after %v, want %v", load.Round(r.slowest), limit)
	add(r.each == 0, "there was never a time when all were open")
	add(r.each >= r.path.bytes, "%d bytes for a connection, want less than %d", r.each,
		r.path.bytes)
	// Opening and watching ten thousand connections is load too: at 5 ms the probe client is still
	// within what counts as the knee.
	allowed := max(r.before.P99*3/2, 5*time.Millisecond)
	add(r.while.P99 > allowed, "p99 of the probe client %v, want %v", load.Round(r.while.P99),
		load.Round(allowed))
	add(r.while.Failed > 0, "%d requests of the probe client failed", r.while.Failed)
	add(r.unhealthy > 0, "%d of %d probes of /health without a 200", r.unhealthy, r.probes)
	add(r.exited, "the server has exited")
	return all
}
