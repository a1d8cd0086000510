package train

import (
	"fmt"
	"io"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/calibrate"
)

// Against compares the model with other weights on the same targets.
type Against struct {
	Model     string                    `json:"model"` // the other weights
	Overall   Difference                `json:"overall"`
	ByHorizon [model.MaxDays]Difference `json:"by_horizon"`
	Years     []YearDifference          `json:"years"`
}

// Difference is how much lower the loss of the model is, as a share of the other's: above zero, the
// model is better. Over several horizons it is the mean.
type Difference struct {
	Difference    number `json:"difference"`
	StandardError number `json:"standard_error"` // clustered by date
}

// YearDifference is that of the origins of one year.
type YearDifference struct {
	Year int `json:"year"`
	Difference
	ByHorizon [model.MaxDays]Difference `json:"by_horizon"`
}

// against compares the first method with the last.
func (s *score) against(other string, origins []calendar.Date, every int) *Against {
	compare := func(from, to int, list ...int) Difference {
		p := calibrate.NewPaired(len(origins), len(list))
		for k, h := range list {
			for i := range s.days {
				d := &s.days[i]
				p.Loss[0][k][i], p.Loss[1][k][i] = d.loss[0][h-1], d.loss[len(d.loss)-1][h-1]
				p.Counted[i] = p.Counted[i] || d.count[h-1] > 0
			}
		}
		// Targets overlap over h days. The weights taper, so the lags span twice that.
		c := p.Compare(from, to, (2*list[len(list)-1]+10)/every)
		return Difference{c.Difference, c.StandardError}
	}
	byHorizon := func(from, to int) (all [model.MaxDays]Difference) {
		for h := range all {
			all[h] = compare(from, to, h+1)
		}
		return all
	}
	a := &Against{Model: other, Overall: compare(0, len(origins), horizons[:]...),
		ByHorizon: byHorizon(0, len(origins))}
	for from, to := 0, 0; from < len(origins); from = to {
		year := yearOf(origins[from])
		for to < len(origins) && yearOf(origins[to]) == year {
			to++
		}
		if s.dates(from, to) > 0 {
			a.Years = append(a.Years, YearDifference{year, compare(from, to, horizons[:]...),
				byHorizon(from, to)})
		}
	}
	return a
}

func (e *Evaluation) tableAgainst(w io.Writer) {
	if e.Against == nil {
		return
	}
	fmt.Fprintf(w, "\npinball loss of %s lower than that of %s on the same origins, in per cent "+
		"(above zero: %[1]s is better), +- the standard error clustered by date\n", e.Model,
		e.Against.Model)
	head := []string{"days"}
	for _, h := range horizons {
		head = append(head, fmt.Sprint(h))
	}
	put(w, append(head, "mean")...)
	cell := func(d Difference) string {
		return show("%+.2f", 100*d.Difference) + " +- " + show("%.2f", 100*d.StandardError)
	}
	line := func(name string, by *[model.MaxDays]Difference, mean Difference) {
		cells := []string{name}
		for _, h := range horizons {
			cells = append(cells, cell(by[h-1]))
		}
		put(w, append(cells, cell(mean))...)
	}
	for i := range e.Against.Years {
		y := &e.Against.Years[i]
		line(fmt.Sprint(y.Year), &y.ByHorizon, y.Difference)
	}
	line("all", &e.Against.ByHorizon, e.Against.Overall)
}

// tableCalibration shows what GET /model would.
func (e *Evaluation) tableCalibration(w io.Writer) {
	c := e.Calibration
	if c == nil || c.Forecasts == 0 {
		return
	}
	fmt.Fprintf(w, "\ncalibration as GET /model shows it, of origins with %d closes before them: "+
		"%d origins from %s to %s, %d forecasts, skill %s, tickers off %s\n",
		calibrate.LeastBefore, c.Origins, c.From, c.To, c.Forecasts, show("%.4f", c.Skill),
		show("%.4f", c.TickersOff))
	put(w, "confidence", "days", "coverage", "standard error", "loss in bp", "skill")
	for _, l := range c.Levels {
		put(w, l.ConfidenceText(), l.HorizonText(), show("%.4f", l.Coverage),
			show("%.4f", l.StandardError), show("%.2f", l.Loss), show("%.4f", l.Skill))
	}
}
