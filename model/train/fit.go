package train

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"

	"tickercast/model"
	"tickercast/model/market"
)

// recipe holds what a fit of one network may vary.
type recipe struct {
	hidden     int
	epochs     int
	batch      int
	rate       float64 // of learning, at the start
	decay      float64 // L2, of the network's own weights
	skipDecay  float64 // L2, of the linear weights
	dropRange  float64 // probability that a sample loses its daily ranges
	dropMarket float64
	bulk       float64 // weight of a sample: its scale to this power
}

func defaults() recipe {
	return recipe{hidden: 16, epochs: 4, batch: 1024, rate: 3e-3, decay: 10, skipDecay: 10,
		dropRange: 0.25, dropMarket: 0.1, bulk: 0.5}
}

// standard holds the centre and spread of each feature. Groups that may be missing are centred at
// zero, which is what a missing entry holds.
type standard struct{ center, spread [numIn]float64 }

func standardise(s *samples) *standard {
	st := &standard{}
	var sum, sq, w [numIn]float64
	for i := range s.len() {
		for j, v := range s.features(i) {
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
		mean := sum[j] / w[j]
		if j >= market.RangeFirst {
			st.spread[j] = math.Sqrt(sq[j]/w[j]) + 1e-3
			continue
		}
		st.center[j] = mean
		st.spread[j] = math.Sqrt(max(0, sq[j]/w[j]-mean*mean)) + 1e-3
	}
	return st
}

func (st *standard) apply(x []float32, z *[numIn]float64) {
	for j, v := range x {
		z[j] = min(max((float64(v)-st.center[j])/st.spread[j], -model.MaxInput), model.MaxInput)
	}
}

// shards is how many parts a batch is cut into. It is fixed, so that sums are formed in the same
// order however many cores there are.
const shards = 4

// fitNetwork minimises the pinball loss by Adam from a random start.
func fitNetwork(ctx context.Context, s *samples, st *standard, table *quantileTable, r recipe,
	seed uint64, step func()) (*network, error) {
	rng := rand.New(rand.NewPCG(seed, 1))
	n := newNetwork(r.hidden)
	for i := range n.first {
		n.first[i] = rng.NormFloat64() / math.Sqrt(float64(numIn))
	}
	for i := range n.last {
		n.last[i] = 0.01 * rng.NormFloat64()
	}
	opt := newAdam(n, r)
	order := make([]int32, s.len())
	for i := range order {
		order[i] = int32(i)
	}
	grads := [shards]*network{}
	scratch := [shards]*pass{}
	dice := [shards]*rand.Rand{}
	for k := range shards {
		grads[k] = newNetwork(r.hidden)
		scratch[k] = newPass(r.hidden)
		scratch[k].logQuantile = table
		dice[k] = rand.New(rand.NewPCG(seed, 2+uint64(k)))
	}
	batches := len(order) / r.batch
	total := r.epochs * batches
	for epoch := range r.epochs {
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for b := range batches {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			batch := order[b*r.batch : (b+1)*r.batch]
			var wg sync.WaitGroup
			for k := range shards {
				wg.Go(func() {
					part := batch[k*len(batch)/shards : (k+1)*len(batch)/shards]
					n.gradient(s, st, part, r, scratch[k], grads[k], dice[k])
				})
			}
			wg.Wait()
			opt.step(n, grads[:], float64(len(batch)), float64(epoch*batches+b)/float64(total))
		}
		if step != nil {
			step()
		}
	}
	return n, nil
}

func (n *network) gradient(s *samples, st *standard, part []int32, r recipe, p *pass, grad *network,
	dice *rand.Rand) {
	clear(grad.all)
	var x [numIn]float32
	for _, i := range part {
		copy(x[:], s.features(int(i)))
		if dice.Float64() < r.dropRange {
			clear(x[market.RangeFirst:market.RangeEnd])
		}
		if dice.Float64() < r.dropMarket {
			clear(x[market.MarketFirst:market.MarketEnd])
		}
		st.apply(x[:], &p.z)
		n.forward(p)
		weight := float64(s.weight[i]) * math.Exp(r.bulk*float64(x[0]))
		p.loss(x[:], s.returns(int(i)), weight)
		n.backward(p, grad)
	}
}

// merge averages networks: their hidden layers beside each other, the rest by mean.
func merge(all []*network) *network {
	hidden := 0
	for _, n := range all {
		hidden += n.hidden
	}
	m := newNetwork(hidden)
	share := 1 / float64(len(all))
	at := 0
	for _, n := range all {
		for i, v := range n.skip {
			m.skip[i] += share * v
		}
		for i, v := range n.lastBias {
			m.lastBias[i] += share * v
		}
		copy(m.first[at*numIn:], n.first)
		copy(m.firstBias[at:], n.firstBias)
		for o := range numOut {
			for j := range n.hidden {
				m.last[o*hidden+at+j] = share * n.last[o*n.hidden+j]
			}
		}
		at += n.hidden
	}
	return m
}
