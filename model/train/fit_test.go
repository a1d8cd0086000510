package train

import (
	"bytes"
	"context"
	"errors"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"tickercast/model"
	"tickercast/model/market"
)

// fitPanel is large enough to be fitted.
func fitPanel(t testing.TB, seed uint64) *market.Panel { return walkPanel(t, seed, 70, 1300) }

// builtWithRace reports whether the race detector is part of the test binary.
func builtWithRace() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

func TestFitIsDeterministicAndBeatsTheNormal(t *testing.T) {
	if testing.Short() || builtWithRace() {
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
		for _, h := range horizons {
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
