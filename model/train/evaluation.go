package train

import (
	"cmp"
	"encoding/json"
	"io"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/calibrate"
	"tickercast/model/market"
)

// An Evaluation is the result of Evaluate. Losses are mean pinball losses of log returns in basis
// points. Coverages are shares.
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
	// Overall compares the model with each baseline.
	Overall []Ratio `json:"overall"`
	// Band bounds the model's coverage in 95 % of bootstraps over blocks of dates.
	Band [model.MaxDays][model.Levels][2]number `json:"coverage_band"`
	// MedianRatio is the mean absolute price error of the median over that of "no change".
	MedianRatio [model.MaxDays]number `json:"median_ratio"`
	// Astray is the share of tickers whose own coverage is off by more than 5 points.
	Astray [model.MaxDays][model.Levels]number `json:"tickers_astray"`
	// Rejected is the share of tickers whose coverage one day ahead Kupiec's test rejects at 5 %.
	Rejected [model.Levels]number `json:"kupiec_rejected"`
	Years    []Period             `json:"years"`
	Quarters []Period             `json:"quarters"`
	// Against compares with EvalConfig.Against, if there is one.
	Against *Against `json:"against,omitempty"`
	// Calibration is what a server shows of the same days.
	Calibration *calibrate.Report `json:"calibration"`
	// Refused lists the tickers that are not judged.
	Refused []market.Refusal `json:"refused,omitempty"`
}

// MethodScore is the result of one method.
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
	// Ratio is the mean of ByHorizon over the horizons that a table shows.
	Ratio number `json:"ratio"`
	// ByHorizon is the ratio of mean losses at each horizon.
	ByHorizon [model.MaxDays]number `json:"by_horizon"`
	// DM is the Diebold-Mariano statistic of the date means of the loss differences. Below -2, the
	// model is better than chance explains.
	DM [model.MaxDays]number `json:"diebold_mariano"`
}

// Period is the result for the origins of one calendar year or quarter.
type Period struct {
	Year     int                                 `json:"year"`
	Quarter  int                                 `json:"quarter,omitempty"` // 0 for a whole year
	Dates    int                                 `json:"dates"`
	Ratios   []number                            `json:"ratios"` // to each baseline, as Ratio.Ratio
	Coverage [model.MaxDays][model.Levels]number `json:"coverage"`
}

type number = calibrate.Number

// WriteJSON writes the whole evaluation.
func (e *Evaluation) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(e)
}

const (
	basisPoints = 1e4
	bandBlock   = 60 // trading days
	bandDraws   = 1000
)

func summarise(s *score, c *backtest, cfg EvalConfig, every int, methods []method) *Evaluation {
	whole := s.sum(0, len(s.days))
	e := &Evaluation{Model: cfg.Model.Version(), Every: every, Tickers: len(c.panel.Series()),
		Dates: s.dates(0, len(s.days)), Confidences: model.Confidences}
	for i := range s.days {
		if s.days[i].count[0] > 0 {
			e.From, e.To = cmp.Or(e.From, c.origins[i]), c.origins[i]
		}
	}
	hits, counts := make([]float64, len(s.days)), make([]float64, len(s.days))
	for h := range model.MaxDays {
		e.Horizons[h] = h + 1
		e.Forecasts[h] = int(whole.count[h])
		e.MedianRatio[h] = number(s.medianError[h] / s.noChange[h])
		for l := range model.Levels {
			e.Astray[h][l] = number(s.astray[h][l] / s.tickers)
			for i := range s.days {
				hits[i], counts[i] = s.days[i].hits[h][l], s.days[i].count[h]
			}
			low, high := ratioBand(hits, counts, bandBlock/every, bandDraws)
			e.Band[h][l] = [2]number{number(low), number(high)}
		}
	}
	for l := range model.Levels {
		e.Rejected[l] = number(s.rejected[l] / s.tickers)
	}
	for m, method := range methods {
		e.Methods = append(e.Methods, s.method(m, method.name, whole))
		if m > 0 {
			e.Overall = append(e.Overall, s.ratio(m, method.name, every, whole))
		}
	}
	if cfg.Against != nil {
		e.Against = s.against(cfg.Against.Version(), c.origins, every)
	}
	e.Years = s.periods(c.origins, func(d calendar.Date) (int, int) { return yearOf(d), 0 })
	e.Quarters = s.periods(c.origins, func(d calendar.Date) (int, int) {
		year, month, _ := d.Civil()
		return year, (int(month) + 2) / 3
	})
	return e
}

func (s *score) method(m int, name string, whole *dayScore) MethodScore {
	r := MethodScore{Name: name}
	for h, n := range whole.count {
		total := 0.0
		for l, p := range tails {
			lower, upper := s.loss[m][0][h][l], s.loss[m][1][h][l]
			total += lower + upper
			r.Loss[h][0][l] = number(basisPoints * lower / n)
			r.Loss[h][1][l] = number(basisPoints * upper / n)
			r.Coverage[h][l] = number(s.hits[m][h][l] / n)
			r.Winkler[h][l] = number(basisPoints * (lower + upper) / p / n)
		}
		r.MeanLoss[h] = number(basisPoints * total / n / numTail)
	}
	return r
}

// meanRatio is the mean over horizons of the model's loss relative to that of baseline m.
func (d *dayScore) meanRatio(m int) number {
	mean := 0.0
	for _, h := range horizons {
		mean += d.loss[0][h-1] / d.loss[m][h-1] / float64(len(horizons))
	}
	return number(mean)
}

func (s *score) ratio(m int, name string, every int, whole *dayScore) Ratio {
	r := Ratio{Baseline: name, Ratio: whole.meanRatio(m)}
	for h := range model.MaxDays {
		r.ByHorizon[h] = number(whole.loss[0][h] / whole.loss[m][h])
		var diff []float64
		for _, d := range s.days {
			if d.count[h] > 0 {
				diff = append(diff, (d.loss[0][h]-d.loss[m][h])/d.count[h])
			}
		}
		// Targets overlap over h days. The weights taper, so the lags span twice that.
		r.DM[h] = number(dieboldMariano(diff, (2*(h+1)+10)/every))
	}
	return r
}

// periods scores runs of origins with the same year and quarter.
func (s *score) periods(origins []calendar.Date,
	of func(calendar.Date) (year, quarter int)) (all []Period) {
	for from, to := 0, 0; from < len(origins); from = to {
		p := Period{}
		p.Year, p.Quarter = of(origins[from])
		for to < len(origins) {
			if y, q := of(origins[to]); y != p.Year || q != p.Quarter {
				break
			}
			to++
		}
		if p.Dates = s.dates(from, to); p.Dates == 0 {
			continue
		}
		sum := s.sum(from, to)
		for m := 1; m < len(sum.loss); m++ {
			p.Ratios = append(p.Ratios, sum.meanRatio(m))
		}
		for h, n := range sum.count {
			for l, hits := range sum.hits[h] {
				p.Coverage[h][l] = number(hits / n)
			}
		}
		all = append(all, p)
	}
	return all
}
