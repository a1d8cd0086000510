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

// writeReport prints the table of the first road, and one of all roads.
func writeReport(w io.Writer, all []travelled, o options) {
	fmt.Fprintf(w, "%s, Linux %s, %s. One server at a time on CPU 0, the load on CPU 1; median of "+
		"%d rounds of %.1f s each.\n\n", cpuModel(), kernel(), runtime.Version(), o.rounds, o.seconds)
	if all[0].road.Name == firstRoad {
		writeFirst(w, all[0], o)
	}
	writeRoads(w, all)
	for _, t := range all {
		fmt.Fprintf(w, "\n%s: %d connections\n", t.road.Title, t.road.Conns)
		for _, c := range t.all[1:] {
			used := c.values(cpu)
			fmt.Fprintf(w, "- CPU of tickercast / %s: %.3f; %.2f to %.2f us%s\n", c.name,
				1/c.cpuRatio(t.all[0]), slices.Min(used), slices.Max(used), remarks(c))
		}
		for _, m := range t.missing {
			fmt.Fprintf(w, "- left out: %s\n", strings.ReplaceAll(m, "\n", " "))
		}
	}
}

// writeFirst prints how each peer of the first road compares with the subject.
func writeFirst(w io.Writer, t travelled, o options) {
	subject := t.all[0]
	fmt.Fprintf(w, "%s. Requests/s and CPU from a closed loop of %d connections, latency from an "+
		"open loop at %.0f requests a second, counted from when each was due.\n\n", t.road.Title,
		t.road.Conns, o.rate)
	fmt.Fprintln(w, "| server | work | requests/s on one core | CPU, us/request | "+
		"CPU, x tickercast | p50 | p99 | MB at start | MB under load |")
	fmt.Fprintln(w, "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, c := range t.all {
		fmt.Fprintf(w, "| %s | %s | %.0f | %.2f | %.2f | %.2f ms | %.2f ms | %.1f | %.1f |\n",
			c.name, c.work, median(c.values(perSecond)), median(c.values(cpu)),
			c.cpuRatio(subject), median(c.values(p50)), median(c.values(p99)),
			float64(c.atStart)/1e6, median(c.values(memory)))
	}
	fmt.Fprintf(w, "\nThe generator used %.2f us of CPU for an answer of tickercast.\n\n",
		median(subject.values(client)))
}

// writeRoads prints a row for each road: what a request costs each server.
func writeRoads(w io.Writer, all []travelled) {
	columns := []string{subject, "nginx", "fasthttp", "net/http", fastAPI}
	fmt.Fprintf(w, "CPU of the server for a request, us; nginx, fasthttp and net/http send a canned "+
		"reply.\n\n| request |")
	for _, name := range columns {
		fmt.Fprintf(w, " %s |", strings.ReplaceAll(name, ", cache of encoded answers", ""))
	}
	fmt.Fprint(w, " of nginx | of net/http |\n| --- |", strings.Repeat(" ---: |", len(columns)+2),
		"\n")
	for _, t := range all {
		fmt.Fprintf(w, "| %s |", t.road.Title)
		for _, name := range columns {
			cell := "-"
			if c := t.find(name); c != nil {
				cell = fmt.Sprintf("%.1f", median(c.values(cpu)))
			}
			fmt.Fprintf(w, " %s |", cell)
		}
		for _, name := range []string{"nginx", "net/http"} {
			cell := "-"
			if c := t.find(name); c != nil {
				cell = fmt.Sprintf("%.2f", t.all[0].cpuRatio(c))
			}
			fmt.Fprintf(w, " %s |", cell)
		}
		fmt.Fprintln(w)
	}
}

// find returns the server with a name, or nil.
func (t travelled) find(name string) *contender {
	for _, c := range t.all {
		if c.name == name {
			return c
		}
	}
	return nil
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
