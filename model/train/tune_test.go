package train

import (
	"bytes"
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

// tailPanel makes tickers of constant volatility whose noise, by day, is given.
func tailPanel(t testing.TB, tickers, days int, noise func(*rand.Rand, int) float64) *market.Panel {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 0))
	var all []market.Series
	for k := range tickers {
		s := market.Series{Ticker: "T" + string(rune('A'+k/26)) + string(rune('A'+k%26))}
		day, price := calendar.Of(2012, 1, 3), 50.0
		for i := range days {
			day = calendar.Default().Next(day, 1)
			price *= math.Exp(0.015 * noise(rng, i))
			s.Dates, s.Close = append(s.Dates, day), append(s.Close, price)
		}
		all = append(all, s)
	}
	p, err := market.NewPanel(all)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// light is uniform: no move is beyond 1.73 standard deviations.
func light(rng *rand.Rand, _ int) float64 { return math.Sqrt(3) * (2*rng.Float64() - 1) }

// heavy is mostly still, with jumps of 1.8 to 5.2 standard deviations.
func heavy(rng *rand.Rand, _ int) float64 {
	if rng.Float64() < 0.08 {
		return 3 * light(rng, 0)
	}
	return 0.5 * rng.NormFloat64()
}

func TestTuneLearnsOtherTails(t *testing.T) {
	if testing.Short() || builtWithRace() {
		t.Skip("fits two models, whose goroutines TestFitStops has raced")
	}
	for name, noise := range map[string]func(*rand.Rand, int) float64{"light": light,
		"heavy": heavy} {
		t.Run(name, func(t *testing.T) {
			p := tailPanel(t, 25, 800, noise)
			base := embedded(t)
			cfg := Config{Base: base, Seed: 1}
			b, rep, err := Fit(t.Context(), p, cfg)
			if err != nil {
				t.Fatal(err)
			}
			m, err := model.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			g := rep.Gain
			if rep.Version != m.Version() || g.Base != base.Version() || g.To != p.AsOf() {
				t.Errorf("got the report %+v with %+v", rep, g)
			}
			if m.TrainedFrom() > base.TrainedFrom() || m.TrainedTo() < p.AsOf() {
				t.Errorf("trained on %s to %s, want the days of both", m.TrainedFrom(),
					m.TrainedTo())
			}
			// Evaluate judges by other horizons and levels, on the same days.
			e, err := Evaluate(t.Context(), p, EvalConfig{Model: m, Against: base, From: g.From})
			if err != nil {
				t.Fatal(err)
			}
			if d := e.Against.Overall; !(d.Difference > 0.005 &&
				d.Difference > 3*d.StandardError) {
				t.Errorf("lower loss than the base: got %+v", d)
			}
			last := len(e.Methods) - 1
			for _, l := range []int{0, 3, 5} {
				c := model.Confidences[l]
				got, want := e.Methods[0].Coverage[0][l], e.Methods[last].Coverage[0][l]
				if a, b := math.Abs(float64(got)-c), math.Abs(float64(want)-c); a > 0.01 && a > b {
					t.Errorf("confidence %v: covers %v, the base %v", c, got, want)
				}
			}
			if name == "light" {
				return
			}
			cores := runtime.GOMAXPROCS(1)
			again, _, err := Fit(t.Context(), p, cfg)
			runtime.GOMAXPROCS(cores)
			if err != nil || !bytes.Equal(b, again) {
				t.Errorf("one seed gives two models (error %v)", err)
			}
		})
	}
}

// TestTuneRefusesWhatLosesLater has tails on the last days that are the opposite of those before.
func TestTuneRefusesWhatLosesLater(t *testing.T) {
	if testing.Short() || builtWithRace() {
		t.Skip("fits a model, whose goroutines TestFitStops has raced")
	}
	p := tailPanel(t, 25, 800, func(rng *rand.Rand, day int) float64 {
		if day < 600 {
			return light(rng, day)
		}
		return heavy(rng, day)
	})
	b, rep, err := Fit(t.Context(), p, Config{Base: embedded(t)})
	if !errors.Is(err, ErrNoGain) {
		t.Fatalf("got error %v and %+v, want %v", err, rep.Gain, ErrNoGain)
	}
	if b != nil || !strings.Contains(err.Error(), embedded(t).Version()) {
		t.Errorf("got %d bytes and error %v", len(b), err)
	}
}

func TestTuneWantsEnough(t *testing.T) {
	for want, p := range map[string]*market.Panel{
		"to judge by":                  tailPanel(t, 5, 400, light),
		"too few to fit on: need 4096": tailPanel(t, 5, 600, light),
	} {
		if _, _, err := Fit(t.Context(), p, Config{Base: embedded(t)}); err == nil ||
			errors.Is(err, ErrNoGain) || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
	}
}

// TestNetworkOfIsExact takes weights apart and puts them together.
func TestNetworkOfIsExact(t *testing.T) {
	want, err := embedded(t).Reading(market.FeatureNames())
	if err != nil {
		t.Fatal(err)
	}
	p := want.Params()
	n, st, table := networkOf(p)
	b, err := export(n, st, table, Report{From: p.From, To: p.To})
	if err != nil {
		t.Fatal(err)
	}
	if whole, _ := p.AppendBinary(nil); !bytes.Equal(b, whole) {
		t.Error("the bytes differ")
	}
}
