package train

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/calibrate"
	"tickercast/model/market"
)

// TestNoMethodSeesTheFuture changes every price from a day on, and expects the scores of all
// targets that end before it to stay.
func TestNoMethodSeesTheFuture(t *testing.T) {
	p := walkPanel(t, 11, 3, 560)
	dates := p.Series()[0].Dates
	cut := 500
	var changed []market.Series
	for _, s := range p.Series() {
		s.Close = slices.Clone(s.Close)
		for i := cut; i < len(s.Close); i++ {
			s.Close[i] *= 3 + math.Sin(float64(i*i))
		}
		changed = append(changed, s)
	}
	q, err := market.NewPanel(changed)
	if err != nil {
		t.Fatal(err)
	}
	var want []byte
	for _, panel := range []*market.Panel{p, q} {
		e, err := Evaluate(t.Context(), panel,
			EvalConfig{Model: embedded(t), To: dates[cut-1-model.MaxDays], Every: 9, GARCH: true,
				Calibrate: true})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := e.WriteJSON(&b); err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = b.Bytes()
		} else if !bytes.Equal(b.Bytes(), want) {
			t.Error("later prices change the scores of earlier targets")
		}
	}
}

func TestGARCHFindsItsParameters(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 0))
	truth := garchParams{long: 4e-4, a: 0.08, b: 0.9, shape: 3} // 6 degrees of freedom
	noise := newGARCHNoise()[truth.shape]
	returns := make([]float64, 8000)
	v := truth.long
	for i := range returns {
		returns[i] = math.Sqrt(v) * float64(noise[rng.IntN(len(noise))])
		v = truth.next(v, returns[i])
	}
	got := fitGARCH(returns)
	if math.Abs(got.a-truth.a) > 0.03 || math.Abs(got.b-truth.b) > 0.05 ||
		math.Abs(math.Log(got.long/truth.long)) > 0.5 {
		t.Errorf("got %+v, want about %+v", got, truth)
	}
	if got, want := garchShapes[got.shape], garchShapes[truth.shape]; math.Abs(got-want) > 2 {
		t.Errorf("got %v degrees of freedom, want about %v", got, want)
	}
}

func TestGARCHSimulation(t *testing.T) {
	var table garchTable
	noise := newGARCHNoise()
	p := garchParams{long: 1, a: 0, b: 0, shape: len(garchShapes) - 1}
	p.simulate(noise, &table)
	// Without memory, from the mean variance on: sums of thirty near-normal returns.
	for _, h := range []int{5, 10, 30} {
		for l, z := range calibrate.NormalScores {
			if got, want := table.at(1, h-1, l),
				z*math.Sqrt(float64(h)); math.Abs(got/want-1) > 0.1 {
				t.Errorf("h = %d, confidence %v: got a half-width of %v, want %v", h,
					model.Confidences[l], got, want)
			}
		}
	}
	if got, want := table.at(4, 0, 2)/table.at(1, 0, 2), 2.0; math.Abs(got-want) > 1e-9 {
		t.Errorf("four times the variance widens the first day by %v, want %v", got, want)
	}
}

func TestSimplexFindsAMinimum(t *testing.T) {
	want := [3]float64{1, -2, 0.5}
	got := simplex([3]float64{}, func(u [3]float64) float64 {
		sum := 0.0
		for k := range u {
			sum += float64(k+1) * (u[k] - want[k]) * (u[k] - want[k])
		}
		return sum + 0.5*u[0]*u[1] - 0.5*want[0]*u[1] - 0.5*u[0]*want[1]
	})
	for k := range got {
		if math.Abs(got[k]-want[k]) > 0.02 {
			t.Errorf("got %v, want %v", got, want)
			break
		}
	}
}

func TestHARFindsItsCoefficients(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 0))
	want := harRow{-0.3, 0.1, 0.2, 0.4, 0.15}
	var s, empty harSystem
	for range minTargets {
		x := harRow{1}
		y := want[0] + 0.05*rng.NormFloat64()
		for k := 1; k < harSize; k++ {
			x[k] = rng.NormFloat64()
			y += want[k] * x[k]
		}
		s.add(&x, y)
	}
	got := s.solve()
	for k := range got {
		if math.Abs(got[k]-want[k]) > 0.01 {
			t.Errorf("got %v, want %v", got, want)
			break
		}
	}
	var weighs float64
	for _, v := range empty.solve() {
		weighs += v
	}
	if math.Abs(weighs-1) > 1e-12 {
		t.Errorf("without data the weights sum to %v, want 1", weighs)
	}
}

// TestFirstYearKnowsThePast judges one year. The rows before it are all that the fitted
// baselines have.
func TestFirstYearKnowsThePast(t *testing.T) {
	p := walkPanel(t, 8, 60, 1300)
	from := calendar.Of(yearOf(p.AsOf()), 1, 1)
	e, err := Evaluate(t.Context(), p, EvalConfig{Model: embedded(t), From: from})
	if err != nil {
		t.Fatal(err)
	}
	normal, pooled := e.Methods[1], e.Methods[2]
	if normal.Name != "ewma-normal" || pooled.Name != "ewma-pooled" {
		t.Fatalf("got methods %q and %q", normal.Name, pooled.Name)
	}
	// The panel's scales wander, so its tails are heavier than the normal's.
	if got, least := pooled.Winkler[0][5], normal.Winkler[0][5]; got >= least {
		t.Errorf("99 %%, one day: got an interval score of %v with the past's tails, want below "+
			"the normal's %v", got, least)
	}
	for y := range 3 {
		if got, want := yearAfter(calendar.Of(2010+y, 12, 31), 2011), y; got != want {
			t.Errorf("a target at the end of %d: known first in year %d, want %d", 2010+y, got,
				want)
		}
	}
}

func TestScoreCountsAreQuantiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 0))
	var c scoreCounts
	scores := make([]float64, 3*minTargets)
	for i := range scores {
		scores[i] = rng.NormFloat64() + 0.3*rng.ExpFloat64()
		c.add(4, scores[i])
	}
	slices.Sort(scores)
	table := c.table()
	for l, p := range tails {
		if got, want := table[4][0][l],
			scores[int(p*float64(len(scores)))]; math.Abs(got-want) > 0.03 {
			t.Errorf("lower bound of %v: got %v, want %v", model.Confidences[l], got, want)
		}
		if got, want := table[4][1][l],
			scores[int((1-p)*float64(len(scores)))]; math.Abs(got-want) > 0.03 {
			t.Errorf("upper bound of %v: got %v, want %v", model.Confidences[l], got, want)
		}
		if got, want := table[5][1][l], calibrate.NormalScores[l]; got != want {
			t.Errorf("without targets: got %v, want the normal's %v", got, want)
		}
	}
}

func TestEWMAIsRiskMetrics(t *testing.T) {
	logs := []float64{0, 0.01, 0.03, 0.02}
	got := calibrate.EWMA(logs)
	// The mean of the squares while they are few.
	want := math.Sqrt((0.01*0.01 + 0.02*0.02 + 0.01*0.01) / 3)
	if math.Abs(got[3]-want) > 1e-12 {
		t.Errorf("after three returns: got %v, want %v", got[3], want)
	}
	for range 300 {
		logs = append(logs, logs[len(logs)-1])
	}
	if got := calibrate.EWMA(logs); got[len(got)-1] != 1e-4 {
		t.Errorf("stale closes: got %v, want the floor", got[len(got)-1])
	}
}

func TestTradingDaysAndOrigins(t *testing.T) {
	p := walkPanel(t, 6, 2, 10)
	days := p.TradingDays()
	if !slices.Equal(days, p.Series()[0].Dates) {
		t.Fatalf("got %v, want %v", days, p.Series()[0].Dates)
	}
	got := pick(days, days[2]-1, days[9], 3)
	if want := []calendar.Date{days[1], days[4], days[7]}; days[2]-1 == days[1] &&
		!slices.Equal(got, want) {
		t.Errorf("got origins %v, want %v", got, want)
	}
}
