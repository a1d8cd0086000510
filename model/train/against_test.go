package train

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"tickercast/model"
)

// widened returns the embedded model with all bounds by times as far.
func widened(t *testing.T, by float64) *model.Model {
	t.Helper()
	var delta [model.MaxDays][model.Levels]float64
	for h := range delta {
		for l := range delta[h] {
			delta[h][l] = math.Log(by)
		}
	}
	m, err := embedded(t).Adjusted(&delta)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestAgainst compares models that are better, worse and the same, both ways.
func TestAgainst(t *testing.T) {
	p := walkPanel(t, 3, 25, 800)
	compare := func(first, second *model.Model) *Evaluation {
		e, err := Evaluate(t.Context(), p, EvalConfig{Model: first, Against: second})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	right, wrong := embedded(t), widened(t, 1.8)
	e := compare(right, wrong)
	a := e.Against
	if !(a.Overall.Difference > 3*a.Overall.StandardError && a.Overall.StandardError > 0) {
		t.Errorf("right against wrong: got %+v", a.Overall)
	}
	if b := compare(wrong, right).Against; !(b.Overall.Difference < -3*b.Overall.StandardError) {
		t.Errorf("wrong against right: got %+v", b.Overall)
	}
	if same := compare(right, right).Against; same.Overall.Difference != 0 {
		t.Errorf("against itself: got %+v", same.Overall)
	}
	// The figures agree with the mean losses of both.
	last := len(e.Methods) - 1
	for h := range model.MaxDays {
		want := 1 - e.Methods[0].MeanLoss[h]/e.Methods[last].MeanLoss[h]
		if got := a.ByHorizon[h].Difference; math.Abs(float64(got-want)) > 1e-9 {
			t.Errorf("%d days: got %v, want %v", h+1, got, want)
		}
	}
	if len(a.Years) != len(e.Years) {
		t.Errorf("got %d years, want %d", len(a.Years), len(e.Years))
	}
	for _, y := range a.Years {
		mean := number(0)
		for _, h := range horizons {
			mean += y.ByHorizon[h-1].Difference / number(len(horizons))
		}
		if math.Abs(float64(mean-y.Difference.Difference)) > 1e-9 {
			t.Errorf("%d: got %v, want the mean over horizons, %v", y.Year, y.Difference, mean)
		}
	}
	var out bytes.Buffer
	if err := e.WriteTable(&out); err != nil || !strings.Contains(out.String(), "is better") {
		t.Errorf("table: got %s, %v", &out, err)
	}
	points := func(e *Evaluation) int {
		var svg bytes.Buffer
		if err := e.WriteSVG(&svg); err != nil {
			t.Fatal(err)
		}
		return strings.Count(svg.String(), "<circle")
	}
	if got, want := points(e), model.MaxDays+len(a.Years); got != want {
		t.Errorf("the plot has %d differences, want %d", got, want)
	}
	e.Against = nil
	if got := points(e); got != 0 {
		t.Errorf("without other weights the plot has %d differences", got)
	}
}
