package calibrate

import (
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"tickercast/model/calendar"
	"tickercast/model/market"
)

// TestYearlyKnowsOnlyThePast: the step of a day is the same from the panel as it was then, from the
// panel of today, and from one whose later rows are different.
func TestYearlyKnowsOnlyThePast(t *testing.T) {
	p := walkPanel(t, 1, 30, 2500)
	day := calendar.Of(2018, time.May, 4)
	other := changedAfter(t, p, day)
	var want any
	for name, p := range map[string]*market.Panel{"then": p.Until(day), "today": p,
		"other rows later": other} {
		m, err := NewYearly(embedded(t), p, nil).On(t.Context(), day)
		if err != nil {
			t.Fatal(err)
		}
		got := m.Params()
		if want == nil {
			want = got
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got another step", name)
		}
		if reflect.DeepEqual(got, embedded(t).Params()) {
			t.Errorf("%s: the step changes nothing", name)
		}
	}
}

// changedAfter returns a panel with other closes after a day.
func changedAfter(t *testing.T, p *market.Panel, day calendar.Date) *market.Panel {
	t.Helper()
	var all []market.Series
	for _, s := range p.Series() {
		s.Close = slices.Clone(s.Close)
		for i, d := range s.Dates {
			if d > day {
				s.Close[i] *= 1 + 0.2*math.Sin(float64(i))
			}
		}
		all = append(all, s)
	}
	other, err := market.NewPanel(all)
	if err != nil {
		t.Fatal(err)
	}
	return other
}

// TestYearlyKeepsItsSteps asks twice for one year, and for years without enough past.
func TestYearlyKeepsItsSteps(t *testing.T) {
	y := NewYearly(embedded(t), walkPanel(t, 1, 30, 2500), nil)
	on := func(year int, month time.Month) any {
		m, err := y.On(t.Context(), calendar.Of(year, month, 5))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if on(2018, time.March) != on(2018, time.December) {
		t.Error("two days of a year have different steps")
	}
	if on(2018, time.March) == on(2019, time.March) {
		t.Error("two years have one step")
	}
	for _, year := range []int{2000, 2012, 2013} {
		if on(year, time.July) != any(y.Base()) {
			t.Errorf("%d: a step without three years before it", year)
		}
	}
}
