//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// writeReport prints the table, in the order of peers, and how each compares with the subject.
func writeReport(w io.Writer, all []*contender, missing []string, o options) {
	subject := all[0]
	fmt.Fprintf(w,
		"%s, Linux %s, %s. One server at a time on CPU 0, the load on CPU 1; %d connections; "+
			"median of %d rounds of %.1f s each;\n",
		cpuModel(), kernel(), runtime.Version(), o.conns, o.rounds, o.seconds)
	fmt.Fprintf(w,
		"requests/s and CPU from a closed loop, latency from an open loop at %.0f requests a "+
			"second, counted from when each was due.\n\n", o.rate)
	fmt.Fprintln(w,
		"| server | work | requests/s on one core | CPU, us/request | CPU, x tickercast | p50 | "+
			"p99 | MB at start | MB under load |")
	fmt.Fprintln(w, "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, c := range all {
		fmt.Fprintf(w, "| %s | %s | %.0f | %.2f | %.2f | %s | %s | %.1f | %.1f |\n", c.name, c.work,
			median(c.samples, func(s sample) float64 { return s.perSecond }),
			median(c.samples, func(s sample) float64 { return s.cpu }),
			ratio(c, subject),
			milliseconds(median(c.samples, func(s sample) time.Duration { return s.p50 })),
			milliseconds(median(c.samples, func(s sample) time.Duration { return s.p99 })),
			float64(c.atStart)/1e6,
			float64(median(c.samples, func(s sample) int64 { return s.memory }))/1e6)
	}
	fmt.Fprintf(w, "\nThe generator used %.2f us of CPU for an answer of tickercast.\n",
		median(subject.samples, func(s sample) float64 { return s.client }))
	for _, c := range all[1:] {
		low, high := c.samples[0].cpu, c.samples[0].cpu
		for _, s := range c.samples {
			low, high = min(low, s.cpu), max(high, s.cpu)
		}
		fmt.Fprintf(w, "- CPU of tickercast / %s: %.3f; %.2f to %.2f us%s\n", c.name,
			1/ratio(c, subject), low, high, remarks(c))
	}
	for _, m := range missing {
		fmt.Fprintf(w, "- left out: %s\n", strings.ReplaceAll(m, "\n", " "))
	}
}

func remarks(c *contender) string {
	var s string
	switch {
	case c.canned:
	case c.exact:
		s = "; answers equal to the byte"
	default:
		s = "; answers equal as JSON"
	}
	if c.versions != "" {
		s += "; " + c.versions
	}
	return s
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.2f ms", d.Seconds()*1e3) }

func cpuModel() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(line, ":"); ok &&
			strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	b, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return strings.TrimSpace(string(b))
}
