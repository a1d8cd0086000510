package calibrate

import (
	"context"
	"math"
	"slices"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/market"
)

// judgedLevels are the confidences that are judged, as indices of model.Confidences, and
// judgedHorizons the days ahead.
var (
	judgedLevels   = [...]int{0, 2, 3, 5}
	judgedHorizons = [...]int{1, 5, 10, 20}
)

// JudgedLevels lists the confidences and horizons of every Report, without its figures.
func JudgedLevels() []LevelReport { return newTally(0).report(nil).Levels }

// leastOwn is how many targets a ticker needs for its own coverage to say anything.
const leastOwn = 20

// Judge compares forecasts as they would have been made at the close of each origin with the closes
// that came. A forecast sees no later row, and an origin counts for a ticker with 250 closes before
// it. Origins are sorted. Judge takes one core, and stops within a ticker when ctx ends.
func Judge(ctx context.Context, steps *Yearly, daily *market.Daily, index *market.MarketIndex,
	origins []calendar.Date) (*Report, error) {
	models, err := steps.onAll(ctx, origins)
	if err != nil {
		return nil, err
	}
	t := newTally(len(origins))
	err = walk(ctx, daily, index, origins, t.begin, func(day, i int, x *market.Features) {
		f := models[day].Forecast(x[:], slices.Max(judgedHorizons[:]))
		t.add(day, i, &f)
	})
	if err != nil {
		return nil, err
	}
	return t.report(origins), nil
}

// A tally counts how forecasts did.
type tally struct {
	count   [len(judgedHorizons)][]int // targets, by origin
	hits    [len(judgedHorizons)][len(judgedLevels)][]int
	loss    [len(judgedHorizons)][len(judgedLevels)]float64
	normal  [len(judgedHorizons)][len(judgedLevels)]float64 // loss of EWMA with normal tails
	tickers map[string]*TickerReport

	own         *TickerReport // of the series that is walked
	logs, sigma []float64     // of its closes
}

func newTally(origins int) *tally {
	t := &tally{tickers: map[string]*TickerReport{}}
	for h := range judgedHorizons {
		t.count[h] = make([]int, origins)
		for l := range judgedLevels {
			t.hits[h][l] = make([]int, origins)
		}
	}
	return t
}

// begin begins a series.
func (t *tally) begin(s *market.Series, logs []float64) {
	t.own = &TickerReport{}
	t.tickers[s.Ticker] = t.own
	t.logs, t.sigma = logs, appendEWMA(t.sigma[:0], logs)
}

// add adds the forecast at the close of row i of the series.
func (t *tally) add(day, i int, f *model.Forecast) {
	t.own.Forecasts++
	for h, ahead := range judgedHorizons {
		if i+ahead >= len(t.logs) {
			break
		}
		t.count[h][day]++
		t.own.count[h]++
		move, median := t.logs[i+ahead]-t.logs[i], f.Median(ahead)
		distance := f.Distance(ahead)
		for l, level := range judgedLevels {
			tail := (1 - model.Confidences[level]) / 2
			lower := median - math.Exp(distance[0][level])
			upper := median + math.Exp(distance[1][level])
			t.loss[h][l] += Pinball(tail, -lower, -move) + Pinball(tail, upper, move)
			z := NormalScores[level] * t.sigma[i] * math.Sqrt(float64(ahead))
			t.normal[h][l] += Pinball(tail, z, -move) + Pinball(tail, z, move)
			if lower <= move && move <= upper {
				t.hits[h][l][day]++
				t.own.hits[h][l]++
			}
		}
	}
}

// report sums up.
func (t *tally) report(origins []calendar.Date) *Report {
	r := &Report{Skill: Number(math.NaN()), TickersOff: Number(math.NaN()), tickers: t.tickers}
	for i, n := range t.count[0] {
		if n > 0 {
			if r.Origins++; r.Origins == 1 {
				r.From = origins[i]
			}
			r.To = origins[i]
			r.Forecasts += n
		}
	}
	var ratios, horizons float64
	for h, ahead := range judgedHorizons {
		loss, normal, total := 0.0, 0.0, float64(sum(t.count[h]))
		for l, level := range judgedLevels {
			loss, normal = loss+t.loss[h][l], normal+t.normal[h][l]
			r.Levels = append(r.Levels, LevelReport{
				Confidence:    model.Confidences[level],
				Horizon:       ahead,
				Coverage:      Number(float64(sum(t.hits[h][l])) / total),
				StandardError: Number(coverageError(t.hits[h][l], t.count[h], ahead)),
				Loss:          Number(basisPoints * t.loss[h][l] / total),
				Skill:         Number(1 - t.loss[h][l]/t.normal[h][l]),
			})
		}
		if total > 0 {
			ratios, horizons = ratios+loss/normal, horizons+1
		}
	}
	if horizons > 0 {
		r.Skill = Number(1 - ratios/horizons)
	}
	enough, off := 0.0, 0.0
	for _, own := range t.tickers {
		if own.count[0] < leastOwn {
			continue
		}
		enough++
		const at95 = 2 // in judgedLevels
		n := float64(own.count[0])
		if Kupiec(n, n-float64(own.hits[0][at95]), 0.05) > KupiecLimit {
			off++
		}
	}
	r.TickersOff = Number(off / enough)
	r.TooFew, r.TooMany = t.beyondChance()
	return r
}

func sum(counts []int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// coverageError returns the standard error of a coverage, clustered by date: the targets of one
// date move together, and those some days ahead overlap with those of the dates after it.
func coverageError(hits, counts []int, ahead int) float64 {
	total := float64(sum(counts))
	coverage := float64(sum(hits)) / total
	var misses []float64
	for i, n := range counts {
		if n > 0 {
			misses = append(misses, float64(hits[i])-coverage*float64(n))
		}
	}
	// Calm and turbulent days come in runs, so dates depend on each other one day ahead too.
	return SumError(misses, 2*ahead+8) / total
}

// SumError returns the standard error of the sum of values with a mean of zero, one a date, that
// depend on each other over up to lag dates. The variance is that of Newey and West (1987). It is
// NaN for fewer than ten dates.
func SumError(values []float64, lag int) float64 {
	n := len(values)
	if n < 10 {
		return math.NaN()
	}
	lag = min(lag, n/4)
	variance := 0.0
	for k := 0; k <= lag; k++ {
		c := 0.0
		for i := k; i < n; i++ {
			c += values[i] * values[i-k]
		}
		if k > 0 {
			c *= 2 * (1 - float64(k)/float64(lag+1))
		}
		variance += c
	}
	return math.Sqrt(max(variance, 0) * float64(n) / float64(n-1))
}
