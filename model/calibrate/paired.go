package calibrate

import (
	"math"
)

// Paired holds the losses of two methods on the same targets, summed by horizon and origin.
type Paired struct {
	Loss    [2][][]float64
	Counted []bool // by origin: it has a target
}

// NewPaired returns one without any loss.
func NewPaired(origins, horizons int) *Paired {
	rows := func() [][]float64 {
		all := make([][]float64, horizons)
		for h := range all {
			all[h] = make([]float64, origins)
		}
		return all
	}
	return &Paired{[2][][]float64{rows(), rows()}, make([]bool, origins)}
}

// Compare compares the origins from to to-1, whose targets overlap over lag of them.
func (p *Paired) Compare(from, to, lag int) Comparison {
	c := Comparison{Difference: Number(math.NaN()), StandardError: Number(math.NaN())}
	differences := make([]float64, to-from)
	mean, horizons := 0.0, 0.0
	for h := range p.Loss[0] {
		var first, second float64
		for i := from; i < to; i++ {
			first, second = first+p.Loss[0][h][i], second+p.Loss[1][h][i]
		}
		if second == 0 {
			continue
		}
		mean, horizons = mean+1-first/second, horizons+1
		for i := from; i < to; i++ {
			// What this origin adds, less what its share of the targets would add.
			differences[i-from] += (p.Loss[1][h][i]*first/second - p.Loss[0][h][i]) / second
		}
	}
	if horizons == 0 {
		return c
	}
	for i := range differences {
		if p.Counted[from+i] {
			differences[c.Origins] = differences[i] / horizons
			c.Origins++
		}
	}
	c.Difference = Number(mean / horizons)
	c.StandardError = Number(SumError(differences[:c.Origins], lag))
	return c
}
