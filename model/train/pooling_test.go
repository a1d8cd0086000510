package train

import (
	"math"
	"math/rand/v2"
	"testing"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/market"
)

func TestPoolingCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 0))
	s := &samples{}
	for range 20000 {
		x, y := randomSample(rng)
		x[0] = 0
		s.x, s.y, s.day, s.weight = append(s.x, x[:]...), append(s.y, y[:]...), append(s.day, 1),
			append(s.weight, 1)
	}
	p := &pooling{}
	p.add(s, s.where(func(calendar.Date) bool { return true }), nil, nil)
	table := p.table()
	for h := range model.MaxDays {
		for l, c := range model.Confidences {
			inside := 0
			for i := range s.len() {
				r := (float64(s.returns(int32(i))[h]) - drift*float64(h)) /
					(market.RefScale * sqrtDays[h])
				if -math.Exp(table[h][0][l]) <= r && r <= math.Exp(table[h][1][l]) {
					inside++
				}
			}
			// The bounds are set on the same samples, to the width of a bin.
			if got := float64(inside) / float64(s.len()); math.Abs(got-c) > 0.004 {
				t.Errorf("day %d: got a coverage of %v, want %v", h+1, got, c)
			}
		}
	}
}

// TestWidenIsOneStandardError uses nine years: 0.08/sqrt(9*252/60) in the log of the width at 80 %
// and one day.
func TestWidenIsOneStandardError(t *testing.T) {
	q := normalTable()
	before := *q
	q.widen(9 * 252)
	for _, c := range []struct {
		h, l int
		want float64
	}{{0, 0, 0.0130}, {29, 0, 0.0307}, {29, 5, 0.0614}} {
		for side := range 2 {
			if got := q[c.h][side][c.l] - before[c.h][side][c.l]; math.Abs(got-c.want) > 1e-4 {
				t.Errorf("%d days, level %d: widened by %.4f, want %.4f", c.h+1, c.l, got, c.want)
			}
		}
	}
}

// TestScaleMeansTheSame compares the reference of the first feature, which two packages state that
// do not import each other.
func TestScaleMeansTheSame(t *testing.T) {
	if model.RefScale != market.RefScale {
		t.Errorf("package model takes %v for the reference, package market %v", model.RefScale,
			market.RefScale)
	}
}
