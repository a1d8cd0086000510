package train

import "math"

// adam is the optimiser of Kingma and Ba (2015) with decoupled weight decay and a rate that falls
// along a cosine.
type adam struct {
	m, v []float64
	home []float64 // where weights decay to
	t    int
}

// newAdam lets weights decay to home, or to zero if that is nil.
func newAdam(n *network, home []float64) *adam {
	if home == nil {
		home = make([]float64, len(n.all))
	}
	return &adam{m: make([]float64, len(n.all)), v: make([]float64, len(n.all)), home: home}
}

// step moves the weights by the mean gradient of a batch. progress goes from 0 to 1 over the fit.
func (a *adam) step(n *network, workers *[shards]worker, progress float64) {
	const b1, b2 = 0.9, 0.999
	a.t++
	rate := learningRate * (0.5*(1+math.Cos(math.Pi*progress)) + 1e-3)
	rate *= min(1, float64(a.t)/200)
	c1, c2 := 1-math.Pow(b1, float64(a.t)), 1-math.Pow(b2, float64(a.t))
	for i := range n.all {
		g := 0.0
		for k := range workers {
			g += workers[k].grad.all[i]
		}
		g /= batchSize
		a.m[i] = b1*a.m[i] + (1-b1)*g
		a.v[i] = b2*a.v[i] + (1-b2)*g*g
		n.all[i] -= rate * ((a.m[i]/c1)/(math.Sqrt(a.v[i]/c2)+1e-8) +
			weightDecay*(n.all[i]-a.home[i]))
	}
}
