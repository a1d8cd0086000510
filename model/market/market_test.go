package market

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestShortSeriesAreLeftOut(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 0))
	p, err := NewPanel([]Series{randomSeries(rng, "LONG", MinHistory),
		randomSeries(rng, "SHORT", MinHistory-1)})
	if err != nil {
		t.Fatal(err)
	}
	m := mustNew(t, p)
	if _, ok := m.Find([]byte("SHORT")); ok || len(m.Tickers()) != 1 {
		t.Errorf("got %d tickers, want only LONG", len(m.Tickers()))
	}
	if _, err := New(t.Context(), p.Until(p.Series()[0].Dates[5]), nil); err == nil ||
		!strings.Contains(err.Error(), "30 closes") {
		t.Errorf("of six rows: got error %v", err)
	}
}

func TestFind(t *testing.T) {
	m := mustNew(t, randomPanel(t, 9, 3, 40))
	for sent, want := range map[string]string{"TAB": "TAB", "tab": "TAB", "tAb": "TAB", "TAD": "",
		"": "", strings.Repeat("t", 100): ""} {
		got, ok := m.Find([]byte(sent))
		if ok != (want != "") || ok && got.Name != want {
			t.Errorf("Find(%q) = %v, %v, want %q", sent, got, ok, want)
		}
		if ok && m.Tickers()[got.Index].Name != want {
			t.Errorf("Find(%q) has the index of %q", sent, m.Tickers()[got.Index].Name)
		}
	}
	sent := []byte("tab")
	if n := testing.AllocsPerRun(100, func() { m.Find(sent) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func TestFromHistoryRefusesBadCloses(t *testing.T) {
	good := slices.Repeat([]float64{3}, MinHistory)
	for _, bad := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		closes := append(slices.Clone(good), bad)
		if _, err := FromHistory("A", 0, closes); err == nil ||
			!strings.Contains(err.Error(), "close 31") {
			t.Errorf("close %v: got error %v", bad, err)
		}
	}
	if _, err := FromHistory("A", 0, good[1:]); err == nil || !strings.Contains(err.Error(), "29") {
		t.Errorf("29 closes: got error %v", err)
	}
}

// BenchmarkNew owns the start-up budget: the embedded snapshot's size in 50 ms.
func BenchmarkNew(b *testing.B) {
	p := randomPanel(b, 1, 503, 300)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New(b.Context(), p, nil); err != nil {
			b.Fatal(err)
		}
	}
}
