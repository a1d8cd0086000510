package train

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteTable writes what a person asks first: how much better than each baseline, how well the
// intervals cover, and whether both hold from year to year.
func (e *Evaluation) WriteTable(w io.Writer) error {
	// A line without tabs ends one table, so one writer serves all.
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "model %s, origins every %d days from %s to %s: %d dates, %d tickers, "+
		"%d forecasts one day ahead\n",
		e.Model, e.Every, e.From, e.To, e.Dates, e.Tickers, e.Forecasts[0])
	e.tableRatios(t)
	e.tableCoverage(t)
	e.tableYears(t)
	e.tableAgainst(t)
	e.tableCalibration(t)
	return t.Flush()
}

func put(w io.Writer, cells ...string) { fmt.Fprintln(w, strings.Join(cells, "\t")+"\t") }

// percent formats a ratio as a difference from 1.
func percent(n number) string { return show("%+.2f %%", 100*(n-1)) }

// show formats a number, or returns a dash if there was nothing to compute it from.
func show(form string, n number) string {
	if !n.Finite() {
		return "-"
	}
	return fmt.Sprintf(form, float64(n))
}

func (e *Evaluation) tableRatios(w io.Writer) {
	fmt.Fprintln(w, "\npinball loss of the model in basis points (lower is better), and its "+
		"difference from each baseline\n(negative: the model is better; in brackets "+
		"Diebold-Mariano, below -2 is more than chance)")
	head, mean := []string{"days", "model"}, []string{"mean", ""}
	for _, r := range e.Overall {
		head, mean = append(head, r.Baseline), append(mean, percent(r.Ratio))
	}
	put(w, append(head, "median / no change")...)
	for _, h := range horizons {
		line := []string{fmt.Sprint(h), show("%.2f", e.Methods[0].MeanLoss[h-1])}
		for _, r := range e.Overall {
			line = append(line, percent(r.ByHorizon[h-1])+" ("+show("%.1f", r.DM[h-1])+")")
		}
		put(w, append(line, show("%.4f", e.MedianRatio[h-1]))...)
	}
	put(w, append(mean, "")...)
}

func (e *Evaluation) tableCoverage(w io.Writer) {
	fmt.Fprintln(w, "\ncoverage of the model's intervals, in per cent (95 % band over blocks of "+
		"dates)")
	head, astray, kupiec := []string{"days"}, []string{"astray"}, []string{"Kupiec"}
	for l, c := range e.Confidences {
		head = append(head, fmt.Sprintf("%.0f", 100*c))
		astray = append(astray, show("%.0f", 100*e.Astray[0][l]))
		kupiec = append(kupiec, show("%.0f", 100*e.Rejected[l]))
	}
	put(w, head...)
	for _, h := range horizons {
		line := []string{fmt.Sprint(h)}
		for l, band := range e.Band[h-1] {
			line = append(line, show("%.1f", 100*e.Methods[0].Coverage[h-1][l])+
				" ("+show("%.1f", 100*band[0])+"-"+show("%.1f", 100*band[1])+")")
		}
		put(w, line...)
	}
	put(w, astray...)
	put(w, kupiec...)
	fmt.Fprintln(w, "astray: per cent of tickers off by more than 5 points one day ahead; "+
		"Kupiec: rejected at 5 %")
}

func (e *Evaluation) tableYears(w io.Writer) {
	fmt.Fprintln(w, "\nby year: against each baseline (negative: the model is better), and coverage of 80 and 95 % at 1, 10 and "+
		"30 days")
	head := []string{"year", "dates"}
	for _, r := range e.Overall {
		head = append(head, r.Baseline)
	}
	put(w, append(head, "80:1", "80:10", "80:30", "95:1", "95:10", "95:30")...)
	for _, y := range e.Years {
		line := []string{fmt.Sprint(y.Year), fmt.Sprint(y.Dates)}
		for _, r := range y.Ratios {
			line = append(line, percent(r))
		}
		for _, l := range [...]int{0, 3} {
			for _, h := range [...]int{1, 10, 30} {
				line = append(line, show("%.1f", 100*y.Coverage[h-1][l]))
			}
		}
		put(w, line...)
	}
}
