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

// standard holds the centre and spread of each feature. Groups that may be missing
// are centred at zero, which is what a missing entry holds.
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

// shards is how many parts a batch is cut into. It is fixed, so that sums are formed
// in the same order however many cores there are.
const shards = 4

// fitNetwork minimises the pinball loss by Adam from a random start.
func fitNetwork(ctx context.Context, s *samples, st *standard, table *quantileTable, r recipe, seed uint64, step func()) (*network, error) {
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

func (n *network) gradient(s *samples, st *standard, part []int32, r recipe, p *pass, grad *network, dice *rand.Rand) {
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

// adam is Kingma and Ba's optimiser (2015) with decoupled weight decay and a rate
// that falls along a cosine.
type adam struct {
	r    recipe
	m, v []float64
	skip int // the first weights, which are linear
	t    int
}

func newAdam(n *network, r recipe) *adam {
	return &adam{r: r, m: make([]float64, len(n.all)), v: make([]float64, len(n.all)), skip: len(n.skip)}
}

func (a *adam) step(n *network, grads []*network, size, progress float64) {
	const b1, b2 = 0.9, 0.999
	a.t++
	rate := a.r.rate * (0.5*(1+math.Cos(math.Pi*progress)) + 1e-3)
	rate *= min(1, float64(a.t)/200)
	c1, c2 := 1-math.Pow(b1, float64(a.t)), 1-math.Pow(b2, float64(a.t))
	for i := range n.all {
		g := 0.0
		for _, part := range grads {
			g += part.all[i]
		}
		g /= size
		decay := a.r.decay
		if i < a.skip {
			decay = a.r.skipDecay
		}
		a.m[i] = b1*a.m[i] + (1-b1)*g
		a.v[i] = b2*a.v[i] + (1-b2)*g*g
		n.all[i] -= rate * ((a.m[i]/c1)/(math.Sqrt(a.v[i]/c2)+1e-8) + decay*n.all[i])
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

// pooling counts how far targets lay out, in units of what was forecast, to find the
// table of quantiles that covers them as asked.
type pooling [model.MaxDays][2]histogram

// add counts the samples that are asked for by want (nil asks for all), given what a
// network (nil for none) makes of each. The samples take turns in what they know.
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
				score -= dot4(p.out[side*model.Terms:], &model.Basis[h])
				tail = min(max(dot4(p.out[(2+side)*model.Terms:], &model.Basis[h]), model.MinTail), model.MaxTail)
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

// blank takes turns, by i, in what is known: everything for two samples, then without
// the market, without ranges, and without both.
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

// histogram counts log scores on one side, once for each level, in bins that are fine
// enough for a quantile. total holds the targets on the other side as well.
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
