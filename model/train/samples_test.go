package train

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"tickercast/model/calendar"
	"tickercast/model/market"
)

func TestCollect(t *testing.T) {
	p := walkPanel(t, 5, 25, 900)
	dates := p.Series()[0].Dates
	last := dates[710]
	daily, err := market.NewDaily(t.Context(), p.Until(last), nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := collect(t.Context(), daily, 5, rand.New(rand.NewPCG(1, 0)))
	if err != nil {
		t.Fatal(err)
	}
	if s.len() < 25*100 {
		t.Fatalf("got %d samples", s.len())
	}
	short, byDay := 0, map[calendar.Date]float64{}
	length := indexOf(t, "history_length")
	for i := range s.len() {
		at, _ := slices.BinarySearch(dates, s.day[i])
		if at < market.MinHistory-1 || s.day[i] >= last {
			t.Fatalf("a sample on %v, want %v to the day before %v", s.day[i],
				dates[market.MinHistory-1], last)
		}
		for h, y := range s.returns(int32(i)) {
			if known := dates[at+h+1] <= last; known == (y != y) {
				t.Fatalf("the target of %v, %d days on, is %v", s.day[i], h+1, y)
			}
		}
		if math.Exp(float64(s.features(int32(i))[length]))*250 < 100 {
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
	list := s.where(func(d calendar.Date) bool { return d == dates[100] })
	if len(list) == 0 || len(list) == s.len() {
		t.Errorf("%d samples on %v of %d in all", len(list), dates[100], s.len())
	}
	for _, i := range list {
		if s.day[i] != dates[100] {
			t.Errorf("sample %d is on %v, want %v", i, s.day[i], dates[100])
		}
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
