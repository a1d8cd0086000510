package train

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
)

// WriteTable writes what a person asks first: how much better than each baseline, how well the
// intervals cover, and whether both hold from year to year.
func (e *Evaluation) WriteTable(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b,
		"model %s, origins every %d days from %s to %s: %d dates, %d tickers, %d forecasts one "+
			"day ahead\n",
		e.Model, e.Every, e.From, e.To, e.Dates, e.Tickers, e.Forecasts[0])
	e.tableRatios(&b)
	e.tableCoverage(&b)
	e.tableYears(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func rows(b *strings.Builder, fill func(put func(cells ...string))) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fill(func(cells ...string) { fmt.Fprintln(t, strings.Join(cells, "\t")+"\t") })
	t.Flush()
}

func percent(n number) string { return say("%+.2f %%", 100*(n-1)) }

// say formats a number, or writes a dash where there was nothing to compute it from.
func say(format string, n number) string {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return "-"
	}
	return fmt.Sprintf(format, float64(n))
}

func (e *Evaluation) tableRatios(b *strings.Builder) {
	b.WriteString("\npinball loss in basis points, and the model against each baseline " +
		"(Diebold-Mariano in brackets, below -2 is better than chance)\n")
	rows(b, func(put func(...string)) {
		head := []string{"days", "model"}
		for _, r := range e.Overall {
			head = append(head, r.Baseline)
		}
		put(append(head, "median / no change")...)
		for _, h := range ReportedHorizons {
			cells := []string{fmt.Sprint(h), say("%.2f", e.Methods[0].MeanLoss[h-1])}
			for _, r := range e.Overall {
				cells = append(cells, percent(r.ByHorizon[h-1])+" ("+say("%.1f", r.DM[h-1])+")")
			}
			put(append(cells, say("%.4f", e.MedianRatio[h-1]))...)
		}
		cells := []string{"mean", ""}
		for _, r := range e.Overall {
			cells = append(cells, percent(r.Ratio))
		}
		put(append(cells, "")...)
	})
}

func (e *Evaluation) tableCoverage(b *strings.Builder) {
	b.WriteString("\ncoverage of the model's intervals, in per cent (95 % band over blocks of " +
		"dates)\n")
	rows(b, func(put func(...string)) {
		head := []string{"days"}
		for _, c := range e.Confidences {
			head = append(head, fmt.Sprintf("%.0f", 100*c))
		}
		put(head...)
		for _, h := range ReportedHorizons {
			cells := []string{fmt.Sprint(h)}
			for l := range e.Confidences {
				band := e.Band[h-1][l]
				cells = append(cells, say("%.1f",
					100*e.Methods[0].Coverage[h-1][l])+" ("+say("%.1f", 100*band[0])+"-"+say("%.1f",
					100*band[1])+")")
			}
			put(cells...)
		}
		cells := []string{"astray"}
		for l := range e.Confidences {
			cells = append(cells, say("%.0f", 100*e.Astray[0][l]))
		}
		put(cells...)
		cells = []string{"Kupiec"}
		for l := range e.Confidences {
			cells = append(cells, say("%.0f", 100*e.Rejected[l]))
		}
		put(cells...)
	})
	b.WriteString("astray: per cent of tickers off by more than 5 points one day ahead; Kupiec: " +
		"rejected at 5 %\n")
}

func (e *Evaluation) tableYears(b *strings.Builder) {
	b.WriteString("\nby year: against each baseline, and coverage of 80 and 95 % at 1, 10 and " +
		"30 days\n")
	rows(b, func(put func(...string)) {
		head := []string{"year", "dates"}
		for _, r := range e.Overall {
			head = append(head, r.Baseline)
		}
		put(append(head, "80:1", "80:10", "80:30", "95:1", "95:10", "95:30")...)
		for _, y := range e.Years {
			cells := []string{fmt.Sprint(y.Year), fmt.Sprint(y.Dates)}
			for _, r := range y.Ratios {
				cells = append(cells, percent(r))
			}
			for _, l := range [...]int{0, 3} {
				for _, h := range [...]int{1, 10, 30} {
					cells = append(cells, say("%.1f", 100*y.Coverage[h-1][l]))
				}
			}
			put(cells...)
		}
	})
}
