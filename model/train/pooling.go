package train

import (
	"math"

	"tickercast/model"
	"tickercast/model/market"
)

// pooling counts how far targets lay out, in units of what was forecast, to find the table of
// quantiles that covers them as asked.
type pooling [model.MaxDays][2]histogram

// add counts the samples that are asked for by want (nil asks for all), given what a network (nil
// for none) makes of each. The samples take turns in what they know.
func (t *pooling) add(s *samples, st *standard, n *network, want func(i int) bool) {
	var p *pass
	if n != nil {
		p = newPass(n.hidden)
	}
	var x [numIn]float32
	for i := range s.len() {
		if want != nil && !want(i) {
			continue
		}
		copy(x[:], s.features(i))
		blank(&x, i)
		scale := float64(x[0]) + math.Log(market.RefScale)
		if n != nil {
			st.apply(x[:], &p.z)
			n.forward(p)
		}
		for h, y := range s.returns(i) {
			if y != y {
				continue
			}
			side, toward := 1, float64(y)-drift*float64(h)
			if toward < 0 {
				side, toward = 0, -toward
			}
			score, tail := math.Log(toward)-scale-0.5*math.Log(float64(h+1)), 0.0
			if n != nil {
				score -= model.Curve(p.out[side*model.Terms:], &model.Basis[h])
				tail = min(max(model.Curve(p.out[(2+side)*model.Terms:], &model.Basis[h]),
					model.MinTail), model.MaxTail)
			}
			w := float64(s.weight[i])
			t[h][0].total += w
			t[h][1].total += w
			for l, c := range &model.TailShape {
				t[h][side].add(l, score-tail*c, w)
			}
		}
	}
}

// table returns the log quantiles.
func (t *pooling) table() *quantileTable {
	q := &quantileTable{}
	for h := range q {
		for side := range 2 {
			for l, p := range tails {
				q[h][side][l] = t[h][side].quantile(l, 1-p)
			}
			separate(&q[h][side])
		}
	}
	return q
}

// widen moves the bounds out by the standard error that a fit on so many trading days leaves, so
// that coverage is as likely to hold as the past can make it: with the mean of the past alone,
// years to come are covered too little as often as not.
func (q *quantileTable) widen(tradingDays int) {
	for h := range q {
		for side := range 2 {
			for l := range q[h][side] {
				q[h][side][l] += noise(h+1, l, tradingDays)
			}
			separate(&q[h][side])
		}
	}
}

// blank takes turns, by i, in what is known: everything for two samples, then without the market,
// without ranges, and without both.
func blank(x *[numIn]float32, i int) {
	if k := i % 5; k == 3 || k == 4 {
		clear(x[market.RangeFirst:market.RangeEnd])
	}
	if k := i % 5; k == 2 || k == 4 {
		clear(x[market.MarketFirst:market.MarketEnd])
	}
}

// separate moves levels apart that are closer than the lightest tail allows.
func separate(q *[model.Levels]float64) {
	for l := 1; l < model.Levels; l++ {
		gap := -model.MinTail*(model.TailShape[l]-model.TailShape[l-1]) + 1e-4
		q[l] = max(q[l], q[l-1]+gap)
	}
}

// histogram counts log scores on one side, once for each level, in bins that are fine enough for a
// quantile. total holds the targets on the other side as well.
type histogram struct {
	bins  [model.Levels][binCount]float32
	total float64
}

const (
	binWidth = 0.004
	binFirst = -4.0
	binCount = 2000
)

func (h *histogram) add(l int, score, weight float64) {
	at := min(max((score-binFirst)/binWidth, 0), binCount-1)
	h.bins[l][int(at)] += float32(weight)
}

func (h *histogram) quantile(l int, p float64) float64 {
	// What lies on the other side is below every bin.
	left := h.total
	for _, w := range h.bins[l] {
		left -= float64(w)
	}
	left = p*h.total - left
	for i, w := range h.bins[l] {
		if float64(w) >= left && w > 0 {
			return binFirst + binWidth*(float64(i)+max(left, 0)/float64(w))
		}
		left -= float64(w)
	}
	return binFirst + binWidth*binCount
}
