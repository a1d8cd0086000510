//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
)

// writeReport prints the table and how each peer compares with the subject, the first of all.
func writeReport(w io.Writer, all []*contender, missing []string, o options) {
	subject := all[0]
	fmt.Fprintf(w, "%s, Linux %s, %s. One server at a time on CPU 0, the load on CPU 1; %d "+
		"connections; median of %d rounds of %.1f s each;\n", cpuModel(), kernel(),
		runtime.Version(), o.conns, o.rounds, o.seconds)
	fmt.Fprintf(w, "requests/s and CPU from a closed loop, latency from an open loop at %.0f "+
		"requests a second, counted from when each was due.\n\n", o.rate)
	fmt.Fprintln(w, "| server | work | requests/s on one core | CPU, us/request | "+
		"CPU, x tickercast | p50 | p99 | MB at start | MB under load |")
	fmt.Fprintln(w, "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, c := range all {
		fmt.Fprintf(w, "| %s | %s | %.0f | %.2f | %.2f | %.2f ms | %.2f ms | %.1f | %.1f |\n",
			c.name, c.work, median(c.values(perSecond)), median(c.values(cpu)),
			c.cpuRatio(subject), median(c.values(p50)), median(c.values(p99)),
			float64(c.atStart)/1e6, median(c.values(memory)))
	}
	fmt.Fprintf(w, "\nThe generator used %.2f us of CPU for an answer of tickercast.\n",
		median(subject.values(client)))
	for _, c := range all[1:] {
		used := c.values(cpu)
		fmt.Fprintf(w, "- CPU of tickercast / %s: %.3f; %.2f to %.2f us%s\n", c.name,
			1/c.cpuRatio(subject), slices.Min(used), slices.Max(used), remarks(c))
	}
	for _, m := range missing {
		fmt.Fprintf(w, "- left out: %s\n", strings.ReplaceAll(m, "\n", " "))
	}
}

func remarks(c *contender) string {
	s := "; answers equal as JSON"
	if c.canned {
		s = ""
	} else if c.exact {
		s = "; answers equal to the byte"
	}
	if c.versions != "" {
		s += "; " + c.versions
	}
	return s
}

func cpuModel() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.Trim(name, "\t\n :")
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	b, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return strings.TrimSpace(string(b))
}
