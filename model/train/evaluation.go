package train

import (
	"encoding/json"
	"io"
	"math"

	"tickercast/model"
	"tickercast/model/calendar"
)

// An Evaluation is what Evaluate found. Losses are mean pinball losses of log returns in basis
// points; coverages are shares. Horizons and confidences index from 0.
type Evaluation struct {
	Model       string                `json:"model"`
	From        calendar.Date         `json:"from"`
	To          calendar.Date         `json:"to"`
	Every       int                   `json:"every"`
	Tickers     int                   `json:"tickers"`
	Dates       int                   `json:"dates"`
	Forecasts   [model.MaxDays]int    `json:"forecasts"`
	Horizons    [model.MaxDays]int    `json:"horizons"`
	Confidences [model.Levels]float64 `json:"confidences"`

	// Methods holds the model first, then the baselines.
	Methods []MethodScore `json:"methods"`
	// Overall is the mean over ReportedHorizons of the model's ratio to each baseline.
	Overall []Ratio `json:"overall"`
	// Band bounds the model's coverage: 95 % of bootstraps over blocks of dates.
	Band [model.MaxDays][model.Levels][2]number `json:"coverage_band"`
	// MedianRatio is the mean absolute price error of the median over that of "no change".
	MedianRatio [model.MaxDays]number `json:"median_ratio"`
	// Astray is the share of tickers whose own coverage is off by more than 5 points.
	Astray [model.MaxDays][model.Levels]number `json:"tickers_astray"`
	// Rejected is the share of tickers whose coverage one day ahead Kupiec's test rejects at 5 %.
	Rejected [model.Levels]number `json:"kupiec_rejected"`
	Years    []Period             `json:"years"`
	Quarters []Period             `json:"quarters"`
}

// MethodScore is one method's part.
type MethodScore struct {
	Name string `json:"name"`
	// Loss by horizon, side (lower, upper) and confidence.
	Loss [model.MaxDays][2][model.Levels]number `json:"pinball_bp"`
	// MeanLoss by horizon, over sides and confidences.
	MeanLoss [model.MaxDays]number               `json:"mean_pinball_bp"`
	Coverage [model.MaxDays][model.Levels]number `json:"coverage"`
	// Winkler is the mean interval score by horizon and confidence, in basis points.
	Winkler [model.MaxDays][model.Levels]number `json:"winkler_bp"`
}

// Ratio compares the model with a baseline: below 1 is better.
type Ratio struct {
	Baseline string `json:"baseline"`
	// Ratio is the mean over ReportedHorizons of the ratios of mean losses.
	Ratio number `json:"ratio"`
	// ByHorizon is the ratio of mean losses at each horizon.
	ByHorizon [model.MaxDays]number `json:"by_horizon"`
	// DM is the Diebold-Mariano statistic of the date means of the loss differences, below -2 when
	// the model is better than chance explains.
	DM [model.MaxDays]number `json:"diebold_mariano"`
}

// Period is the origins of one calendar year or quarter.
type Period struct {
	Year     int                                 `json:"year"`
	Quarter  int                                 `json:"quarter,omitempty"` // 0 for a whole year
	Dates    int                                 `json:"dates"`
	Ratios   []number                            `json:"ratios"` // to each baseline, as Ratio.Ratio
	Coverage [model.MaxDays][model.Levels]number `json:"coverage"`
}

// ReportedHorizons are those that summaries average over and tables show.
var ReportedHorizons = horizons

// number is a float64 that JSON shows as null when there was nothing to compute.
type number float64

func (n number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// WriteJSON writes the whole evaluation.
func (e *Evaluation) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(e)
}

const basisPoints = 1e4

func summarise(s *score, c *course, cfg EvalConfig, every int, names []string) *Evaluation {
	e := &Evaluation{
		Model: cfg.Model.Version(), Every: every,
		Tickers: len(c.panel.Series()), Confidences: model.Confidences,
	}
	e.From, e.To = s.between(c.origins)
	for h := range model.MaxDays {
		e.Horizons[h] = h + 1
		e.Forecasts[h] = int(s.count[h])
		e.MedianRatio[h] = number(s.medianError[h] / s.noChange[h])
		for l := range model.Levels {
			e.Astray[h][l] = number(s.astray[h][l] / s.tickers)
		}
	}
	for l := range model.Levels {
		e.Rejected[l] = number(s.rejected[l] / s.tickers)
	}
	for m, name := range names {
		e.Methods = append(e.Methods, s.method(m, name))
	}
	whole := window{0, len(s.days)}
	e.Dates = s.dates(whole)
	for m := 1; m < len(names); m++ {
		e.Overall = append(e.Overall, s.ratio(m, names[m], every))
	}
	s.bands(e, every)
	e.Years = s.periods(c.origins, len(names),
		func(d calendar.Date) (int, int) { return yearOf(d), 0 })
	e.Quarters = s.periods(c.origins, len(names), func(d calendar.Date) (int, int) {
		year, month, _ := d.Civil()
		return year, (int(month) + 2) / 3
	})
	return e
}

func (s *score) method(m int, name string) MethodScore {
	r := MethodScore{Name: name}
	for h, n := range s.count {
		total := 0.0
		for l, p := range tails {
			lower, upper := s.loss[m][h][0][l], s.loss[m][h][1][l]
			total += lower + upper
			r.Loss[h][0][l], r.Loss[h][1][l] = number(basisPoints*lower/n),
				number(basisPoints*upper/n)
			r.Coverage[h][l] = number(s.hits[m][h][l] / n)
			r.Winkler[h][l] = number(basisPoints * (lower + upper) / p / n)
		}
		r.MeanLoss[h] = number(basisPoints * total / n / numTail)
	}
	return r
}

// window is a half-open range of origins.
type window struct{ from, to int }

func (s *score) dates(w window) (n int) {
	for d := w.from; d < w.to; d++ {
		if s.days[d].count[0] > 0 {
			n++
		}
	}
	return n
}

// between returns the first and the last origin that had a forecast.
func (s *score) between(origins []calendar.Date) (from, to calendar.Date) {
	for i := range s.days {
		if s.days[i].count[0] > 0 {
			if from == 0 {
				from = origins[i]
			}
			to = origins[i]
		}
	}
	return from, to
}

// lossRatio is the model's loss over a baseline's at horizon h+1.
func (s *score) lossRatio(m, h int, w window) float64 {
	var own, base float64
	for d := w.from; d < w.to; d++ {
		own += s.days[d].loss[0][h]
		base += s.days[d].loss[m][h]
	}
	return own / base
}

func (s *score) meanRatio(m int, w window) number {
	mean := 0.0
	for _, h := range ReportedHorizons {
		mean += s.lossRatio(m, h-1, w) / float64(len(ReportedHorizons))
	}
	return number(mean)
}

func (s *score) ratio(m int, name string, every int) Ratio {
	whole := window{0, len(s.days)}
	r := Ratio{Baseline: name, Ratio: s.meanRatio(m, whole)}
	for h := range model.MaxDays {
		r.ByHorizon[h] = number(s.lossRatio(m, h, whole))
		var diff []float64
		for _, d := range s.days {
			if d.count[h] > 0 {
				diff = append(diff, (d.loss[0][h]-d.loss[m][h])/d.count[h])
			}
		}
		// Targets overlap over h days; the weights taper, so twice that is taken.
		r.DM[h] = number(dieboldMariano(diff, (2*(h+1)+10)/every))
	}
	return r
}

const (
	bandBlock = 60 // trading days
	bandDraws = 1000
)

func (s *score) bands(e *Evaluation, every int) {
	hits, counts := make([]float64, len(s.days)), make([]float64, len(s.days))
	for h := range model.MaxDays {
		for l := range model.Levels {
			for i := range s.days {
				hits[i], counts[i] = s.days[i].hits[h][l], s.days[i].count[h]
			}
			low, high := ratioBand(hits, counts, bandBlock/every, bandDraws)
			e.Band[h][l] = [2]number{number(low), number(high)}
		}
	}
}

// periods scores runs of origins that belong together.
func (s *score) periods(origins []calendar.Date, methods int,
	of func(calendar.Date) (year, quarter int)) (all []Period) {
	for from := 0; from < len(origins); {
		year, quarter := of(origins[from])
		to := from
		for to < len(origins) {
			if y, q := of(origins[to]); y != year || q != quarter {
				break
			}
			to++
		}
		w := window{from, to}
		from = to
		if s.dates(w) == 0 {
			continue
		}
		p := Period{Year: year, Quarter: quarter, Dates: s.dates(w)}
		for m := 1; m < methods; m++ {
			p.Ratios = append(p.Ratios, s.meanRatio(m, w))
		}
		for h := range model.MaxDays {
			for l := range model.Levels {
				var hit, count float64
				for d := w.from; d < w.to; d++ {
					hit += s.days[d].hits[h][l]
					count += s.days[d].count[h]
				}
				p.Coverage[h][l] = number(hit / count)
			}
		}
		all = append(all, p)
	}
	return all
}
