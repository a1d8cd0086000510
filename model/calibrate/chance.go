package calibrate

import (
	"math"

	"tickercast/model"
)

// Whether coverage is off by more than chance is asked once of all confidences, of the horizons of
// one and five days. There are too few targets further ahead that do not overlap.
//
// Whether too few closes came inside is also asked of the later half of the dates, since what has
// changed lately counts most. How far chance goes is taken from the calmer half: a few wild weeks,
// which are what is looked for, would otherwise hide themselves by making chance look large. The
// figures below were set on a thousand random panels of 1 to 100 tickers: independent and moving
// together, normal and heavy-tailed, with constant and with wandering volatility. Of each kind, at
// most three in a hundred are beyond chance.
const (
	leastDates = 40 // with fewer dates there is no answer

	// clusterLag is over how many dates the errors of calm and of turbulent days are alike.
	clusterLag = 6
	// chanceOverlap is how many times the variance of dates is that of means over both horizons:
	// what one date shows, those before it have shown in part.
	chanceOverlap = 4
	// Too few is beyond so many standard errors; more for fewer dates, whose error is known less.
	fewLimit, fewDates = 1.75, 35
	// Too many is beyond so many standard errors of a single ticker. Closes that stay inside
	// together say no more than one, and a calm half-year is no fault.
	manyLimit = 3
)

// beyondChance returns how far coverage is below and above what it should be, as a multiple of what
// chance explains.
func (t *tally) beyondChance() (few, many Number) {
	day := t.excess(0)
	n := len(day)
	if n < leastDates {
		return Number(math.NaN()), Number(math.NaN())
	}
	half := n / 2
	variance := max(1e-6, min(dateVariance(day[:half]), dateVariance(day[half:])))
	week := t.excess(1)
	errors := func(from int) float64 {
		off := (mean(day[from:]) + mean(week[min(from, len(week)-1):])) / 2
		return off / math.Sqrt(chanceOverlap*variance/float64(n-from))
	}
	few = Number(max(errors(0), errors(half)) / (fewLimit * (1 + fewDates/float64(n))))
	many = Number(-mean(day) * math.Sqrt(float64(n)) / (manyLimit * oneTickerError()))
	return few, many
}

// excess returns by how much the share of closes outside was more than it should be, in units of
// the standard deviation of one close: by origin, as the mean over the confidences.
func (t *tally) excess(h int) (all []float64) {
	for i, n := range t.count[h] {
		if n == 0 {
			continue
		}
		z := 0.0
		for l, level := range judgedLevels {
			p := 1 - model.Confidences[level]
			outside := 1 - float64(t.hits[h][l][i])/float64(n)
			z += (outside - p) / math.Sqrt(p*(1-p))
		}
		all = append(all, z/float64(len(judgedLevels)))
	}
	return all
}

// oneTickerError is the standard deviation of excess for a single ticker: confidences are not
// independent, since a close outside of the wider interval is outside of the narrower one too.
func oneTickerError() float64 {
	variance := 0.0
	for _, a := range judgedLevels {
		for _, b := range judgedLevels {
			p, q := 1-model.Confidences[a], 1-model.Confidences[b]
			variance += (min(p, q) - p*q) / math.Sqrt(p*(1-p)*q*(1-q))
		}
	}
	return math.Sqrt(variance) / float64(len(judgedLevels))
}

// dateVariance returns the variance of one of some values in a row, times how much more a mean of
// them varies than if they were independent.
func dateVariance(values []float64) float64 {
	n := float64(len(values))
	centred := make([]float64, len(values))
	steps, m := 0.0, mean(values)
	for i, v := range values {
		centred[i] = v - m
		if i > 0 {
			steps += (v - values[i-1]) * (v - values[i-1])
		}
	}
	e := SumError(centred, clusterLag)
	// The values of a short run are alike by chance too, so at least the variance of steps.
	return max(e*e/n, steps/2/(n-1))
}

func mean(values []float64) float64 {
	s := 0.0
	for _, v := range values {
		s += v
	}
	return s / float64(len(values))
}
