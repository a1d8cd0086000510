//go:build linux

package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math"
	"strings"

	"tickercast/model"
)

// writeReport prints two tables in Markdown: all in one row of a method, and coverage in full.
func writeReport(w io.Writer, o options, t *task, s scores, versions string) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Prices: %s. Weights: %s. %d tickers, %d dates from %s to %s, %d or more "+
		"sessions apart; %d forecasts of each method. The peers see %d closes: %s.\n\n",
		cmp.Or(o.prices, "embedded"), cmp.Or(o.weights, "embedded"), len(t.tickers),
		len(t.origins), t.origins[0], t.origins[len(t.origins)-1], t.step, s.samples, o.window,
		versions)
	fmt.Fprintf(&b, "Tickers: %s.\n\n", strings.Join(t.tickers, " "))
	for i := range s.results {
		if r := &s.results[i]; r.failed > 0 {
			fmt.Fprintf(&b, "%s failed on %d series, which are left out for all: %s\n\n", r.name,
				r.failed, r.fault)
		}
	}
	if s.samples == 0 {
		w.Write(b.Bytes())
		return fmt.Errorf("there is no series that all methods forecast")
	}
	writeSummary(&b, t, s)
	writeCoverage(&b, s)
	_, err := w.Write(b.Bytes())
	return err
}

func writeSummary(b *bytes.Buffer, t *task, s scores) {
	fmt.Fprint(b, "Loss: mean pinball loss of the log price, times 10,000, by days ahead. Against "+
		"it: the loss of ", s.results[0].name, " against that of the method, mean of 30 days")
	if t.fewErrors() {
		fmt.Fprint(b, "; these dates overlap too much for a standard error.")
	} else {
		fmt.Fprint(b, ", with its standard error by date.")
	}
	fmt.Fprint(b, " Coverage less confidence in points, over 30 days and 6 confidences.\n\n")
	fmt.Fprint(b, "| method |")
	for _, g := range groups[:everyDay] {
		fmt.Fprintf(b, " loss, %s days |", g.name)
	}
	fmt.Fprint(b, " against it | coverage, mean error | worst (confidence, day) | CPU, ms |\n")
	fmt.Fprint(b, "| --- |", strings.Repeat(" ---: |", 7), "\n")
	for i := range s.results {
		r := &s.results[i]
		fmt.Fprintf(b, "| %s |", r.name)
		for g := range groups[:everyDay] {
			fmt.Fprintf(b, " %.1f |", 1e4*r.loss[g])
		}
		lead := ""
		if i > 0 {
			lead = fmt.Sprintf("%+.1f %%", -100*float64(r.lead.Difference))
			if e := float64(r.lead.StandardError); !math.IsNaN(e) && !t.fewErrors() {
				lead += fmt.Sprintf(" (%.1f)", 100*e)
			}
		}
		fmt.Fprintf(b, " %s | %.2f | %s | %.2f |\n", lead, 100*r.meanError, r.whereWorst(),
			r.each().Seconds()*1e3)
	}
}

func writeCoverage(b *bytes.Buffer, s scores) {
	fmt.Fprint(b, "\nCloses within, %, by confidence:\n\n| method | days |")
	for _, c := range model.Confidences {
		fmt.Fprintf(b, " %g %% |", math.Round(100*c))
	}
	fmt.Fprint(b, "\n| --- | --- |", strings.Repeat(" ---: |", model.Levels), "\n")
	for i := range s.results {
		r := &s.results[i]
		for g, group := range groups {
			fmt.Fprintf(b, "| %s | %s |", r.name, group.name)
			for _, c := range r.cover[g] {
				fmt.Fprintf(b, " %.1f |", 100*c)
			}
			fmt.Fprintln(b)
		}
	}
}
