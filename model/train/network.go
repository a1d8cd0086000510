package train

import (
	"math"

	"tickercast/model"
	"tickercast/model/market"
)

const (
	numIn   = market.NumFeatures
	numOut  = model.Curves * model.Terms
	numTail = 2 * model.Levels
	drift   = 1e-4 // log return per day from the second day on: see the package doc
)

// horizons are the days ahead that a fit looks at and that summaries show. Curves are smooth in
// between.
var horizons = [...]int{1, 2, 3, 5, 7, 10, 15, 20, 25, 30}

// tails are the probabilities outside one bound, by level.
var tails = func() (p [model.Levels]float64) {
	for l, c := range model.Confidences {
		p[l] = (1 - c) / 2
	}
	return p
}()

// sqrtDays holds the roots of 1 to model.MaxDays.
var sqrtDays = func() (s [model.MaxDays]float64) {
	for h := range s {
		s[h] = math.Sqrt(float64(h + 1))
	}
	return s
}()

// network holds the weights of one fit in one vector. The other slices are its parts.
type network struct {
	hidden                                 int
	all                                    []float64
	skip, lastBias, first, firstBias, last []float64
}

func newNetwork(hidden int) *network {
	n := &network{hidden: hidden}
	n.all = make([]float64, numOut*numIn+numOut+hidden*numIn+hidden+numOut*hidden)
	rest := n.all
	take := func(k int) (part []float64) {
		part, rest = rest[:k:k], rest[k:]
		return part
	}
	n.skip, n.lastBias = take(numOut*numIn), take(numOut)
	n.first, n.firstBias = take(hidden*numIn), take(hidden)
	n.last = take(numOut * hidden)
	return n
}

// pass is the scratch space of one sample's way forward and back.
type pass struct {
	z              [numIn]float64
	sum, hid, dHid []float64 // sum is the input of a hidden unit
	out, dOut      [numOut]float64
	logQuantile    *quantileTable
}

func newPass(hidden int) *pass {
	return &pass{sum: make([]float64, hidden), hid: make([]float64, hidden),
		dHid: make([]float64, hidden)}
}

func (n *network) forward(p *pass) {
	for j := range p.hid {
		sum := n.firstBias[j] + model.Dot(n.first[j*numIn:][:numIn], p.z[:])
		p.sum[j], p.hid[j] = sum, model.Activation(sum)
	}
	for o := range p.out {
		p.out[o] = n.lastBias[o] + model.Dot(n.skip[o*numIn:][:numIn], p.z[:]) +
			model.Dot(n.last[o*n.hidden:][:n.hidden], p.hid)
	}
}

// curves returns the curve and the tail of a side, h+1 days ahead, from the outputs.
func (p *pass) curves(h, side int) (curve, tail float64) {
	b := &model.Basis[h]
	return model.Curve(p.out[side*model.Terms:], b), model.Curve(p.out[(2+side)*model.Terms:], b)
}

// backward adds the gradient of a sample, given the gradient of its outputs.
func (n *network) backward(p *pass, grad *network) {
	clear(p.dHid)
	for o, d := range &p.dOut {
		if d == 0 {
			continue
		}
		grad.lastBias[o] += d
		addScaled(grad.skip[o*numIn:], d, p.z[:])
		addScaled(grad.last[o*n.hidden:], d, p.hid)
		addScaled(p.dHid, d, n.last[o*n.hidden:][:n.hidden])
	}
	for j, d := range p.dHid {
		d *= slope(p.sum[j])
		if d == 0 {
			continue
		}
		grad.firstBias[j] += d
		addScaled(grad.first[j*numIn:], d, p.z[:])
	}
}

// addScaled adds d*v to the beginning of to.
func addScaled(to []float64, d float64, v []float64) {
	to = to[:len(v)]
	for i, x := range v {
		to[i] += d * x
	}
}

// slope is the derivative of model.Activation.
func slope(x float64) float64 {
	x2 := min(x*x, 9)
	s := (9 - x2) / (9 + 3*x2)
	return s * s
}

// loss returns the pinball loss of one sample over horizons and levels, in units of its own scale.
// It leaves the gradient of the outputs, times weight, in p.dOut.
func (p *pass) loss(x []float32, y []float32, weight float64) float64 {
	p.dOut = [numOut]float64{}
	total := 0.0
	scale := market.RefScale * math.Exp(float64(x[0]))
	for _, h := range horizons {
		r := float64(y[h-1])
		if r != r {
			continue
		}
		r = (r - drift*float64(h-1)) / (scale * sqrtDays[h-1])
		for side := range 2 {
			toward := r
			if side == 0 {
				toward = -r
			}
			curve, tail := p.curves(h-1, side)
			flat := tail < model.MinTail || tail > model.MaxTail
			tail = min(max(tail, model.MinTail), model.MaxTail)
			var dCurve, dTail float64
			for l, q := range &p.logQuantile[h-1][side] {
				c := model.TailShape[l]
				d := math.Exp(curve + q + tail*c)
				g := tails[l]
				if toward >= d {
					g--
				}
				total += g * (d - toward)
				dCurve += g * d
				dTail += g * d * c
			}
			if flat {
				dTail = 0
			}
			for k, v := range &model.Basis[h-1] {
				p.dOut[side*model.Terms+k] += weight * dCurve * v
				p.dOut[(2+side)*model.Terms+k] += weight * dTail * v
			}
		}
	}
	return total
}
