package model

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestParseReadsWhatWasWritten(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	p := randomParams(rng, 7, 3)
	b, err := p.AppendBinary([]byte("before"))
	if err != nil {
		t.Fatal(err)
	}
	b = b[len("before"):]
	m, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	got := m.Params()
	again, err := got.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, b) {
		t.Error("written again, the parameters differ")
	}
	if got, want := m.Version()[:8], "2020.06-"; got != want || len(m.Version()) != 16 {
		t.Errorf("got version %q, want %s and 8 digits", m.Version(), want)
	}
	if got, want := m.TrainedTo(), p.To; got != want {
		t.Errorf("got training until %v, want %v", got, want)
	}
}

func TestParseRefusesEveryChangedOrMissingByte(t *testing.T) {
	p := randomParams(rand.New(rand.NewPCG(2, 2)), 3, 2)
	b, err := p.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 0x10
		if _, err := Parse(bad); !errors.Is(err, ErrWeights) {
			t.Fatalf("byte %d changed: got error %v", i, err)
		}
		if _, err := Parse(b[:i]); !errors.Is(err, ErrWeights) {
			t.Fatalf("cut to %d bytes: got error %v", i, err)
		}
	}
	if _, err := Parse(append(bytes.Clone(b), 0)); !errors.Is(err, ErrWeights) {
		t.Errorf("a byte too many: got error %v", err)
	}
}

func TestParamsThatBreakAPromiseAreRefused(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, c := range map[string]struct {
		spoil func(*Params)
		want  string
	}{
		"no features":    {func(p *Params) { p.Features = nil }, "0 features"},
		"other scale":    {func(p *Params) { p.Features[0] = "price" }, `"price"`},
		"empty name":     {func(p *Params) { p.Features[1] = "" }, "0 bytes"},
		"range":          {func(p *Params) { p.From = p.To + 1 }, "before it begins"},
		"NaN weight":     {func(p *Params) { p.Last[0] = nan }, "NaN"},
		"infinite bias":  {func(p *Params) { p.LastBias[0] = inf }, "+Inf"},
		"zero spread":    {func(p *Params) { p.Spread[1] = 0 }, "spread"},
		"missing weight": {func(p *Params) { p.First = p.First[1:] }, "numbers"},
		"NaN drift":      {func(p *Params) { p.Drift = nan }, "drift"},
		"downward drift": {func(p *Params) { p.Drift = -1e-4 }, "drift"},
		"NaN quantile":   {func(p *Params) { p.Quantiles[3][1][2] = nan }, "horizon 4"},
		"crossing": {func(p *Params) { q := &p.Quantiles[9][0]; q[2], q[3] = q[3], q[2] },
			"narrower"},
		"levels too close": {func(p *Params) { q := &p.Quantiles[9][0]; q[5] = q[4] }, "narrower"},
		"too many features": {func(p *Params) { p.Features = make([]string, maxFeatures+1) },
			"features"},
	} {
		t.Run(name, func(t *testing.T) {
			p := randomParams(rand.New(rand.NewPCG(3, 3)), 3, 2)
			c.spoil(&p)
			_, err := p.AppendBinary(nil)
			if !errors.Is(err, ErrWeights) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one with %q", err, c.want)
			}
		})
	}
}

// FuzzParse feeds bodies with a right checksum, so that the parser is reached.
func FuzzParse(f *testing.F) {
	p := randomParams(rand.New(rand.NewPCG(4, 4)), 3, 2)
	b, err := p.AppendBinary(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b[headLen : len(b)-sha256.Size])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		file := append([]byte(magic), format, 0, 0, 0)
		file = append(file, body...)
		sum := sha256.Sum256(file)
		m, err := Parse(append(file, sum[:]...))
		if err != nil {
			if !errors.Is(err, ErrWeights) {
				t.Errorf("got error %v, want ErrWeights", err)
			}
			return
		}
		got := m.Params()
		again, err := got.AppendBinary(nil)
		if err != nil || !bytes.Equal(again[headLen:len(again)-sha256.Size], body) {
			t.Errorf("accepted, but written again it differs (error %v)", err)
		}
		fc := m.Forecast(make([]float64, m.in), MaxDays)
		checkForecast(t, &fc, MaxDays)
	})
}

// TestReadingByName gives a model features in another order, with others among them.
func TestReadingByName(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	m := mustParse(t, randomParams(rng, 7, 5))
	old := m.FeatureNames()
	names := append([]string{old[0], "new"}, old[3:]...)
	names = append(append(names, "other"), old[1], old[2])
	wide, err := m.Reading(names)
	if err != nil {
		t.Fatal(err)
	}
	if wide.Version() != m.Version() || !slices.Equal(wide.FeatureNames(), names) {
		t.Errorf("got version %s and features %q", wide.Version(), wide.FeatureNames())
	}
	for range 50 {
		x := wildFeatures(rng, len(old))
		y := wildFeatures(rng, len(names))
		for i, name := range names {
			if at := slices.Index(old, name); at >= 0 {
				y[i] = x[at]
			}
		}
		want, got := m.Forecast(x, MaxDays), wide.Forecast(y, MaxDays)
		for h := 1; h <= MaxDays; h++ {
			for side := range 2 {
				for l, d := range want.Distance(h)[side] {
					if math.Abs(got.Distance(h)[side][l]-d) > 1e-9*(1+math.Abs(d)) {
						t.Fatalf("%v: got %v, want %v", x, got.Distance(h)[side][l], d)
					}
				}
			}
		}
	}
	checkReadingLogs(t, m, old)
	if same, err := m.Reading(old); err != nil || same != m {
		t.Errorf("its own features: got another model and error %v", err)
	}
	if _, err := m.Reading(old[:6]); !errors.Is(err, ErrWeights) ||
		!strings.Contains(err.Error(), old[6]) {
		t.Errorf("without a feature: got error %v", err)
	}
}

// checkReadingLogs gives a model the ratio less one of a feature of which it knows the logarithm.
func checkReadingLogs(t *testing.T, m *Model, old []string) {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, 6))
	names := slices.Clone(old)
	names[3] += excess
	ratios, err := m.Reading(names)
	if err != nil {
		t.Fatal(err)
	}
	by := [MaxDays][Levels]float64{}
	adjusted, err := ratios.Adjusted(&by)
	if err != nil {
		t.Fatal(err)
	}
	for k := range 50 {
		x := make([]float64, len(old))
		for i := range x {
			x[i] = rng.NormFloat64()
		}
		y := slices.Clone(x)
		y[3] = math.Expm1(x[3])
		if k == 0 {
			x[3], y[3] = math.NaN(), math.NaN()
		}
		want := m.Forecast(x, MaxDays)
		for _, r := range []*Model{ratios, adjusted} {
			got := r.Forecast(y, MaxDays)
			for h := 1; h <= MaxDays; h++ {
				for l, d := range want.Distance(h)[1] {
					if math.Abs(got.Distance(h)[1][l]-d) > 1e-9*(1+math.Abs(d)) {
						t.Fatalf("%v: got %v, want %v", x, got.Distance(h)[1][l], d)
					}
				}
			}
		}
	}
	if p := ratios.Params(); len(p.Logs) != 1 || p.Logs[0] != 3 {
		t.Errorf("got logarithms of %v, want of 3", p.Logs)
	} else if _, err := p.AppendBinary(nil); !errors.Is(err, ErrWeights) {
		t.Errorf("stored with a logarithm: got error %v", err)
	}
}
