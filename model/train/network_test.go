package train

import (
	"math"
	"math/rand/v2"
	"testing"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/calibrate"
	"tickercast/model/market"
)

// randomSample draws features and returns of plausible sizes.
func randomSample(rng *rand.Rand) (x [numIn]float32, y [model.MaxDays]float32) {
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	sum := 0.0
	for h := range y {
		sum += 0.02 * rng.NormFloat64()
		y[h] = float32(sum)
	}
	return x, y
}

func randomNetwork(rng *rand.Rand, hidden int) *network {
	n := newNetwork(hidden)
	for i := range n.all {
		n.all[i] = 0.1 * rng.NormFloat64()
	}
	return n
}

func normalTable() *quantileTable {
	t := &quantileTable{}
	for h := range t {
		for side := range 2 {
			for l, z := range calibrate.NormalScores {
				t[h][side][l] = math.Log(z)
			}
		}
	}
	return t
}

func TestGradientIsThatOfTheLoss(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	st := &standard{}
	for i := range st.spread {
		st.spread[i] = 1
	}
	for range 5 {
		n := randomNetwork(rng, 5)
		x, y := randomSample(rng)
		p := newPass(n.hidden)
		p.logQuantile = normalTable()
		loss := func() float64 {
			st.apply(x[:], &p.z)
			n.forward(p)
			return p.loss(x[:], y[:], 1)
		}
		loss()
		grad := newNetwork(n.hidden)
		n.backward(p, grad)
		for range 200 {
			i := rng.IntN(len(n.all))
			const step = 1e-6
			old := n.all[i]
			n.all[i] = old + step
			up := loss()
			n.all[i] = old - step
			down := loss()
			n.all[i] = old
			// The loss has corners, of which a step may cross one.
			if got, want := grad.all[i],
				(up-down)/(2*step); math.Abs(got-want) > 1e-3*(1+math.Abs(want)) {
				t.Errorf("weight %d: got a gradient of %v, want %v", i, got, want)
			}
		}
	}
}

// TestExportedModelIsTheNetwork compares what a model serves with what was fitted.
func TestExportedModelIsTheNetwork(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 0))
	n := merge([]*network{randomNetwork(rng, 4), randomNetwork(rng, 3)})
	st := &standard{}
	for i := range st.spread {
		st.center[i], st.spread[i] = rng.NormFloat64(), 0.5+rng.Float64()
	}
	table := normalTable()
	b, err := export(n, st, table, Report{From: 0, To: calendar.Of(2020, 1, 2)})
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		x32, _ := randomSample(rng)
		var x [numIn]float64
		for i, v := range x32 {
			x[i] = float64(v)
		}
		p := newPass(n.hidden)
		st.apply(x32[:], &p.z)
		n.forward(p)
		f := m.Forecast(x[:], 1)
		for side := range 2 {
			curve, tail := model.Curve(p.out[side*model.Terms:], &model.Basis[0]),
				model.Curve(p.out[(2+side)*model.Terms:], &model.Basis[0])
			if math.Abs(curve) > 1.4 || tail < model.MinTail || tail > model.MaxTail {
				continue // beyond the model's bounds
			}
			for l := range model.Levels {
				want := x[0] + math.Log(market.RefScale) + table[0][side][l] + curve +
					tail*model.TailShape[l]
				if got := f.Distance(1)[side][l]; math.Abs(got-want) > 1e-4 {
					t.Fatalf("side %d, level %d: got %v, want %v", side, l, got, want)
				}
			}
		}
	}
}

func TestMergeAverages(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 0))
	parts := []*network{randomNetwork(rng, 3), randomNetwork(rng, 3), randomNetwork(rng, 2)}
	m := merge(parts)
	x, _ := randomSample(rng)
	var want [numOut]float64
	for _, n := range parts {
		p := newPass(n.hidden)
		for i, v := range x {
			p.z[i] = float64(v)
		}
		n.forward(p)
		for o, v := range p.out {
			want[o] += v / float64(len(parts))
		}
	}
	p := newPass(m.hidden)
	for i, v := range x {
		p.z[i] = float64(v)
	}
	m.forward(p)
	for o, got := range p.out {
		if math.Abs(got-want[o]) > 1e-12 {
			t.Errorf("output %d: got %v, want the mean %v", o, got, want[o])
		}
	}
}
