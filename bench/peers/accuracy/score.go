//go:build linux

package main

import (
	"fmt"
	"math"
	"time"

	"tickercast/model"
	"tickercast/model/calibrate"
)

// groups of days ahead, each to the one before it; the last holds all.
var groups = []struct {
	name     string
	from, to int
}{{"1-5", 1, 5}, {"6-15", 6, 15}, {"16-30", 16, days}, {"all", 1, days}}

const everyDay = 3 // of groups

// A result is how one method did.
type result struct {
	method
	// Of each group: the mean pinball loss of the log price over all bounds and days, and the share
	// of closes within the interval of each level.
	loss  [4]float64
	cover [4][model.Levels]float64
	// Of all days and levels: the mean of |coverage - confidence|, and where that is largest.
	meanError  float64
	worst      float64 // coverage less confidence
	worstLevel int
	worstDay   int
	// By how much the loss of the first method is below this one's, as the mean over days.
	lead calibrate.Comparison
	// Failures of this method.
	failed int
}

// cpu for one series.
func (r *result) each() time.Duration { return r.cpu / time.Duration(len(r.bounds)) }

// scores are of all methods, the first one being the one that the others are compared with.
type scores struct {
	results []result
	samples int // that every method forecast
}

// tally is what is summed of a method: losses by day and origin, hits by day and level.
type tally struct {
	loss [][]float64
	hits [days][model.Levels]float64
}

// score judges all methods on the samples that all of them forecast.
func score(t *task, all []method) (s scores) {
	common := make([]bool, len(t.samples))
	counted := make([]bool, len(t.origins))
	for i := range t.samples {
		common[i] = true
		for k := range all {
			common[i] = common[i] && all[k].bounds[i] != nil
		}
		if common[i] {
			counted[t.samples[i].origin] = true
			s.samples++
		}
	}
	var first tally
	for k, m := range all {
		sum := tallyOf(t, m, common)
		if k == 0 {
			first = sum
		}
		r := result{method: m}
		for _, b := range m.bounds {
			if b == nil {
				r.failed++
			}
		}
		r.summarise(&sum, float64(s.samples))
		p := calibrate.Paired{Loss: [2][][]float64{first.loss, sum.loss}, Counted: counted}
		r.lead = p.Compare(0, len(t.origins), t.overlap())
		s.results = append(s.results, r)
	}
	return s
}

// overlap is the number of origins before one whose targets reach beyond it.
func (t *task) overlap() int { return (days - 1) / t.step }

// fewErrors reports whether the targets overlap so much that their dates give no standard error.
func (t *task) fewErrors() bool { return t.overlap() > len(t.origins)/4 }

func tallyOf(t *task, m method, common []bool) (sum tally) {
	for range days {
		sum.loss = append(sum.loss, make([]float64, len(t.origins)))
	}
	for i := range t.samples {
		if !common[i] {
			continue
		}
		s := &t.samples[i]
		for h := range days {
			move := s.move(h + 1)
			lower, upper := &m.bounds[i][h][0], &m.bounds[i][h][1]
			for l, c := range model.Confidences {
				p := (1 - c) / 2
				sum.loss[h][s.origin] += calibrate.Pinball(p, upper[l], move) +
					calibrate.Pinball(p, -lower[l], -move)
				if lower[l] <= move && move <= upper[l] {
					sum.hits[h][l]++
				}
			}
		}
	}
	return sum
}

// summarise fills in what needs no other method.
func (r *result) summarise(sum *tally, samples float64) {
	for g, group := range groups {
		n := samples * float64(group.to-group.from+1)
		for h := group.from - 1; h < group.to; h++ {
			for _, v := range sum.loss[h] {
				r.loss[g] += v / (n * 2 * model.Levels)
			}
			for l := range model.Levels {
				r.cover[g][l] += sum.hits[h][l] / n
			}
		}
	}
	for h := range days {
		for l, c := range model.Confidences {
			off := sum.hits[h][l]/samples - c
			r.meanError += math.Abs(off) / (days * model.Levels)
			if math.Abs(off) > math.Abs(r.worst) {
				r.worst, r.worstLevel, r.worstDay = off, l, h+1
			}
		}
	}
}

// whereWorst says which cell is worst.
func (r *result) whereWorst() string {
	return fmt.Sprintf("%+.1f (%g %%, %d)", 100*r.worst,
		math.Round(100*model.Confidences[r.worstLevel]), r.worstDay)
}
