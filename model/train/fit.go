package train

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"tickercast/model"
	"tickercast/model/market"
)

// The recipe of a fit. The package doc has the figures behind it.
const (
	hiddenUnits  = 16
	epochs       = 4
	batchSize    = 1024
	learningRate = 3e-3 // at the start
	weightDecay  = 10   // L2
	dropRange    = 0.25 // probability that a sample loses its daily ranges
	dropMarket   = 0.1  // probability that a sample loses the market
	bulk         = 0.5  // the weight of a sample grows with its scale to this power
)

// shards is how many parts a batch is cut into. It is fixed, so that sums have the same order on
// any number of cores.
const shards = 4

// standard holds the centre and spread of each feature. The centre of a group that may be missing
// is zero, because a missing entry is zero.
type standard struct{ center, spread [numIn]float64 }

func standardise(s *samples) *standard {
	st := &standard{}
	var sum, sq, w [numIn]float64
	for i := range s.weight {
		for j, v := range s.features(int32(i)) {
			if v == 0 && j >= market.RangeFirst {
				continue
			}
			wi := float64(s.weight[i])
			x := min(max(float64(v), -20), 20)
			sum[j] += wi * x
			sq[j] += wi * x * x
			w[j] += wi
		}
	}
	for j := range sum {
		if w[j] == 0 {
			st.spread[j] = 1
			continue
		}
		if j < market.RangeFirst {
			st.center[j] = sum[j] / w[j]
		}
		st.spread[j] = math.Sqrt(max(0, sq[j]/w[j]-st.center[j]*st.center[j])) + 1e-3
	}
	return st
}

func (st *standard) apply(x []float32, z *[numIn]float64) {
	for j, v := range x {
		z[j] = min(max((float64(v)-st.center[j])/st.spread[j], -model.MaxInput), model.MaxInput)
	}
}

// A worker computes the gradient of a part of a batch.
type worker struct {
	pass *pass
	grad *network
	dice *rand.Rand
}

// A fitter moves a network down the gradient of the pinball loss of the listed samples.
type fitter struct {
	net     *network
	samples *samples
	st      *standard
	opt     *adam
	workers [shards]worker
	rng     *rand.Rand
	order   []int32
	next    int // in order
}

// newFitter fits n in place. Its weights decay towards home, or towards zero if that is nil.
func newFitter(n *network, home []float64, s *samples, list []int32, st *standard,
	table *quantileTable, rng *rand.Rand, seed uint64) *fitter {
	f := &fitter{net: n, samples: s, st: st, opt: newAdam(n, home), rng: rng,
		order: slices.Clone(list), next: len(list)}
	for k := range f.workers {
		f.workers[k] = worker{newPass(n.hidden), newNetwork(n.hidden),
			rand.New(rand.NewPCG(seed, 2+uint64(k)))}
		f.workers[k].pass.logQuantile = table
	}
	return f
}

// batch makes one step. progress goes from 0 to 1 over the fit.
func (f *fitter) batch(ctx context.Context, progress float64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if f.next+batchSize > len(f.order) {
		f.rng.Shuffle(len(f.order), func(i, j int) {
			f.order[i], f.order[j] = f.order[j], f.order[i]
		})
		f.next = 0
	}
	var wg sync.WaitGroup
	for k := range f.workers {
		wg.Go(func() {
			const size = batchSize / shards
			f.workers[k].gradient(f.net, f.samples, f.order[f.next+k*size:][:size], f.st)
		})
	}
	wg.Wait()
	f.next += batchSize
	f.opt.step(f.net, &f.workers, progress)
	return nil
}

// fitNetwork minimises the pinball loss of the listed samples by Adam from a random start.
func fitNetwork(ctx context.Context, s *samples, list []int32, st *standard, table *quantileTable,
	seed uint64, step func()) (*network, error) {
	rng := rand.New(rand.NewPCG(seed, 1))
	n := newNetwork(hiddenUnits)
	for i := range n.first {
		n.first[i] = rng.NormFloat64() / math.Sqrt(float64(numIn))
	}
	for i := range n.last {
		n.last[i] = 0.01 * rng.NormFloat64()
	}
	f := newFitter(n, nil, s, list, st, table, rng, seed)
	batches := len(list) / batchSize
	for epoch := range epochs {
		for b := range batches {
			if err := f.batch(ctx, float64(epoch*batches+b)/float64(epochs*batches)); err != nil {
				return nil, err
			}
		}
		step()
	}
	return n, nil
}

func (w *worker) gradient(n *network, s *samples, list []int32, st *standard) {
	clear(w.grad.all)
	var x [numIn]float32
	for _, i := range list {
		copy(x[:], s.features(i))
		if w.dice.Float64() < dropRange {
			clear(x[market.RangeFirst:market.RangeEnd])
		}
		if w.dice.Float64() < dropMarket {
			clear(x[market.MarketFirst:market.MarketEnd])
		}
		st.apply(x[:], &w.pass.z)
		n.forward(w.pass)
		w.pass.loss(x[:], s.returns(i), float64(s.weight[i])*math.Exp(bulk*float64(x[0])))
		n.backward(w.pass, w.grad)
	}
}

// merge averages networks: it puts the hidden layers beside each other and averages the rest.
func merge(all []*network) *network {
	hidden := 0
	for _, n := range all {
		hidden += n.hidden
	}
	m := newNetwork(hidden)
	share := 1 / float64(len(all))
	at := 0
	for _, n := range all {
		addScaled(m.skip, share, n.skip)
		addScaled(m.lastBias, share, n.lastBias)
		copy(m.first[at*numIn:], n.first)
		copy(m.firstBias[at:], n.firstBias)
		for o := range numOut {
			addScaled(m.last[o*hidden+at:], share, n.last[o*n.hidden:][:n.hidden])
		}
		at += n.hidden
	}
	return m
}
