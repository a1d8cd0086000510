package train

import (
	"math"

	"tickercast/model"
	"tickercast/model/calibrate"
	"tickercast/model/market"
)

// quantileTable holds logs of pooled quantiles of returns in units of scale*sqrt(h).
type quantileTable [model.MaxDays][2][model.Levels]float64

// pooling counts how far targets lay from the median, in units of the forecast distance. Its
// quantiles are the table that gives each level its confidence.
type pooling [model.MaxDays][2]calibrate.Histogram

// add counts the listed samples, in units of what the network n (nil: none) makes of them. The
// samples take turns in what is known.
func (t *pooling) add(s *samples, list []int32, st *standard, n *network) {
	var p *pass
	if n != nil {
		p = newPass(n.hidden)
	}
	var x [numIn]float32
	for _, i := range list {
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
				curve, raw := p.curves(h, side)
				score -= curve
				tail = min(max(raw, model.MinTail), model.MaxTail)
			}
			w := float64(s.weight[i])
			t[h][0].Total += w
			t[h][1].Total += w
			for l, c := range &model.TailShape {
				t[h][side].Add(l, score-tail*c, w)
			}
		}
	}
}

// blank takes turns, by i, in what is known: everything for two samples, then without the market,
// without ranges, and without both.
func blank(x *[numIn]float32, i int32) {
	if k := i % 5; k == 3 || k == 4 {
		clear(x[market.RangeFirst:market.RangeEnd])
	}
	if k := i % 5; k == 2 || k == 4 {
		clear(x[market.MarketFirst:market.MarketEnd])
	}
}

// table returns the log quantiles.
func (t *pooling) table() *quantileTable {
	q := &quantileTable{}
	for h := range q {
		for side := range 2 {
			for l, p := range tails {
				q[h][side][l] = t[h][side].Quantile(l, 1-p)
			}
			enforceOrder(&q[h][side])
		}
	}
	return q
}

// widen moves the bounds out by the standard error that a fit on so many trading days leaves.
// Without it, coverage of later years falls short as often as not.
func (q *quantileTable) widen(tradingDays int) {
	for h := range q {
		for side := range 2 {
			for l := range q[h][side] {
				q[h][side][l] += calibrate.WidthNoise(h+1, l, tradingDays)
			}
			enforceOrder(&q[h][side])
		}
	}
}

// enforceOrder moves levels apart that are closer than the lightest tail allows.
func enforceOrder(q *[model.Levels]float64) {
	for l := 1; l < model.Levels; l++ {
		q[l] = max(q[l], q[l-1]+calibrate.LeastGap(l))
	}
}
