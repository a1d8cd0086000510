package train

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"tickercast/model"
	"tickercast/model/calendar"
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
			for l, z := range normalScores {
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
	p.add(s, nil, nil, nil)
	table := p.table()
	for h := range model.MaxDays {
		for l, c := range model.Confidences {
			inside := 0
			for i := range s.len() {
				r := (float64(s.returns(i)[h]) - drift*float64(h)) / (market.RefScale * sqrtDays[h])
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

// TestWidenIsOneStandardError: a panel of nine years has 0.08/sqrt(9*252/60) in the log of the
// width at 80 % and one day.
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

// TestScaleMeansTheSame: the first feature is the log of the scale over one reference, which two
// packages that do not know of each other state.
func TestScaleMeansTheSame(t *testing.T) {
	if model.RefScale != market.RefScale {
		t.Errorf("package model takes %v for the reference, package market %v", model.RefScale,
			market.RefScale)
	}
}

func TestCollect(t *testing.T) {
	p := walkPanel(t, 5, 25, 900)
	dates := p.Series()[0].Dates
	in := span{from: dates[100], to: dates[700], end: dates[710]}
	s := collect(p, in, 5, rand.New(rand.NewPCG(1, 0)))
	if s.len() < 25*100 {
		t.Fatalf("got %d samples", s.len())
	}
	short, byDay := 0, map[calendar.Date]float64{}
	length := indexOf(t, "history_length")
	for i := range s.len() {
		if s.day[i] < in.from || s.day[i] > in.to {
			t.Fatalf("a sample on %v, want %v to %v", s.day[i], in.from, in.to)
		}
		for h, y := range s.returns(i) {
			at := 0
			for dates[at] != s.day[i] {
				at++
			}
			if known := dates[at+h+1] <= in.end; known == (y != y) {
				t.Fatalf("the target of %v, %d days on, is %v", s.day[i], h+1, y)
			}
		}
		if math.Exp(float64(s.features(i)[length]))*250 < 100 {
			short++
		}
		byDay[s.day[i]] += float64(s.weight[i])
	}
	if short == 0 {
		t.Error("no short histories")
	}
	for d, w := range byDay {
		if want := float64(s.len()) / float64(len(byDay)); math.Abs(w-want) > 0.01*want {
			t.Errorf("%v weighs %v, want %v", d, w, want)
		}
	}
	if part := s.subset(func(d calendar.Date) bool { return d == in.from }); part.len() == 0 ||
		part.len() == s.len() {
		t.Errorf("a subset of %d samples", part.len())
	}
}

func indexOf(t *testing.T, name string) int {
	t.Helper()
	for i, n := range market.FeatureNames() {
		if n == name {
			return i
		}
	}
	t.Fatalf("no feature %q", name)
	return 0
}

// fitPanel is large enough to be fitted.
func fitPanel(t testing.TB, seed uint64) *market.Panel { return walkPanel(t, seed, 70, 1300) }

func TestFitIsDeterministicAndBeatsTheNormal(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("fits three models, whose goroutines TestFitStops has raced")
	}
	p := fitPanel(t, 6)
	half := p.Series()[0].Dates[1150]
	fit := func(seed uint64) ([]byte, Report) {
		b, rep, err := Fit(t.Context(), p, Config{Until: half, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		return b, rep
	}
	a, rep := fit(1)
	if rep.To != half || rep.From != p.Series()[0].Dates[0] || rep.Tickers != 70 {
		t.Errorf("got the report %+v", rep)
	}
	cores := runtime.GOMAXPROCS(1)
	b, _ := fit(1)
	runtime.GOMAXPROCS(cores)
	if !bytes.Equal(a, b) {
		t.Error("one seed gives two models")
	}
	c, _ := fit(2)
	if bytes.Equal(a, c) {
		t.Error("two seeds give one model")
	}
	var loss [2]float64
	for k, weights := range [][]byte{a, c} {
		m, err := model.Parse(weights)
		if err != nil {
			t.Fatal(err)
		}
		if m.Version() != rep.Version && k == 0 {
			t.Errorf("got version %q, want %q", m.Version(), rep.Version)
		}
		e, err := Evaluate(t.Context(), p, EvalConfig{Model: m, From: half + 60})
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Overall[0].Ratio; got > 0.99 {
			t.Errorf("got %v of the loss of EWMA with normal tails, want less than 0.99", got)
		}
		for _, h := range ReportedHorizons {
			loss[k] += float64(e.Methods[0].MeanLoss[h-1])
		}
	}
	if got := math.Abs(loss[0]/loss[1] - 1); got > 0.01 {
		t.Errorf("another seed moves the loss by %v, want at most 0.01", got)
	}
}

func TestFitStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b, _, err := Fit(ctx, fitPanel(t, 7), Config{Progress: func(int, int) { cancel() }})
	if !errors.Is(err, context.Canceled) || b != nil {
		t.Errorf("got %d bytes and error %v, want none and %v", len(b), err, context.Canceled)
	}
}

func TestFitWantsEnoughOrigins(t *testing.T) {
	for want, p := range map[string]*market.Panel{
		"too few":          walkPanel(t, 8, 3, 300),
		"too short a time": walkPanel(t, 8, 600, 200),
	} {
		if _, _, err := Fit(t.Context(), p, Config{}); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
	}
}
