package metrics_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tickercast/predict/internal/metrics"
)

func TestText(t *testing.T) {
	r := metrics.New()
	r.Counter("b_total", "Second family.", metrics.Label{Name: "z", Value: "1"},
		metrics.Label{Name: "a", Value: "2"}).Add(7)
	r.Counter("b_total", "Second family.", metrics.Label{Name: "a", Value: "1"},
		metrics.Label{Name: "z", Value: "9"}).Inc()
	g := r.Gauge("a", "First\nfamily \\ here.")
	g.Add(2)
	g.Add(-5)
	r.GaugeFunc("c", "Third.", func() float64 { return 0.25 },
		metrics.Label{Name: "p", Value: "a\"b\\c\nd\xff"})
	r.CounterFunc("d_total", "Fourth.", func() float64 { return 1e21 })
	r.InfoFunc("e_info", "Fifth.",
		func() []metrics.Label { return []metrics.Label{{Name: "version", Value: "1"}} })
	want := `# HELP a First\nfamily \\ here.
# TYPE a gauge
a -3
# HELP b_total Second family.
# TYPE b_total counter
b_total{a="1",z="9"} 1
b_total{a="2",z="1"} 7
# HELP c Third.
# TYPE c gauge
c{p="a\"b\\c\nd` + "\uFFFD" + `"} 0.25
# HELP d_total Fourth.
# TYPE d_total counter
d_total 1e+21
# HELP e_info Fifth.
# TYPE e_info gauge
e_info{version="1"} 1
`
	if got := string(r.AppendText(nil)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	parse(t, r.AppendText(nil))
}

func TestHistogramText(t *testing.T) {
	r := metrics.New()
	h := r.Histogram("h_seconds", "Help.", metrics.Label{Name: "route", Value: "/predict"})
	const first, last = 25 * time.Microsecond, 10 * time.Second
	for _, d := range []time.Duration{-1, 0, first, first + 1, last, last + 1} {
		h.Observe(d)
	}
	p := parse(t, r.AppendText(nil))
	for series, want := range map[string]float64{
		`h_seconds_bucket{route="/predict",le="2.5e-05"}`: 3,
		`h_seconds_bucket{route="/predict",le="5e-05"}`:   4,
		`h_seconds_bucket{route="/predict",le="5"}`:       4,
		`h_seconds_bucket{route="/predict",le="10"}`:      5,
		`h_seconds_bucket{route="/predict",le="+Inf"}`:    6,
		`h_seconds_count{route="/predict"}`:               6,
		`h_seconds_sum{route="/predict"}`:                 20.000050002,
	} {
		if got, ok := p.values[series]; !ok || got-want > 1e-9 || want-got > 1e-9 {
			t.Errorf("%s: got %v (there: %v), want %v", series, got, ok, want)
		}
	}
	if got := h.Count(); got != 6 {
		t.Errorf("Count: got %d, want 6", got)
	}
}

func TestSameSeries(t *testing.T) {
	r := metrics.New()
	a := r.Counter("x_total", "X.", metrics.Label{Name: "a", Value: "1"},
		metrics.Label{Name: "b", Value: "2"})
	b := r.Counter("x_total", "X.", metrics.Label{Name: "b", Value: "2"},
		metrics.Label{Name: "a", Value: "1"})
	if a != b {
		t.Error("the order of labels makes another series")
	}
	if c := r.Counter("x_total", "X.", metrics.Label{Name: "a", Value: "2"}); a == c {
		t.Error("other labels give the same series")
	}
}

func TestMistakesPanic(t *testing.T) {
	for name, f := range map[string]func(r *metrics.Registry){
		"empty name":  func(r *metrics.Registry) { r.Counter("", "H.") },
		"digit first": func(r *metrics.Registry) { r.Counter("1a", "H.") },
		"dash":        func(r *metrics.Registry) { r.Counter("a-b", "H.") },
		"label with colon": func(r *metrics.Registry) {
			r.Counter("a", "H.",
				metrics.Label{Name: "a:b"})
		},
		"reserved label": func(r *metrics.Registry) {
			r.Counter("a", "H.",
				metrics.Label{Name: "__a"})
		},
		"le": func(r *metrics.Registry) {
			r.Histogram("a", "H.",
				metrics.Label{Name: "le"})
		},
		"label twice": func(r *metrics.Registry) {
			r.Counter("a", "H.",
				metrics.Label{Name: "x"}, metrics.Label{Name: "x"})
		},
		"two types": func(r *metrics.Registry) { r.Counter("a", "H."); r.Gauge("a", "H.") },
		"func over counter": func(r *metrics.Registry) {
			r.Counter("a", "H.")
			r.CounterFunc("a",
				"H.", nil)
		},
		"two funcs": func(r *metrics.Registry) {
			r.GaugeFunc("a", "H.", func() float64 { return 1 })
			r.GaugeFunc("a", "H.", func() float64 { return 1 })
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f(metrics.New())
		})
	}
}

func TestConcurrentUse(t *testing.T) {
	const workers, each = 8, 5000
	r := metrics.New()
	c, g, h := r.Counter("c_total", "C."), r.Gauge("g", "G."), r.Histogram("h_seconds", "H.")
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range each {
				c.Inc()
				g.Add(1)
				h.Observe(time.Duration(i) * time.Microsecond)
				g.Add(-1)
			}
		})
	}
	// read and make series meanwhile; every reading must be consistent in itself
	for i := range 20 {
		r.Counter("x_total", "X.", metrics.Label{Name: "i", Value: fmt.Sprint(i % 3)}).Inc()
		parse(t, r.AppendText(nil))
	}
	wg.Wait()
	if got, want := c.Value(), uint64(workers*each); got != want {
		t.Errorf("counter: got %d, want %d", got, want)
	}
	if got := g.Value(); got != 0 {
		t.Errorf("gauge: got %d, want 0", got)
	}
	if got, want := h.Count(), uint64(workers*each); got != want {
		t.Errorf("histogram: got %d, want %d", got, want)
	}
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	r := metrics.New()
	c, g, h := r.Counter("c_total", "C."), r.Gauge("g", "G."), r.Histogram("h_seconds", "H.")
	for name, f := range map[string]func(){
		"Inc":     c.Inc,
		"Add":     func() { g.Add(-1) },
		"Observe": func() { h.Observe(time.Millisecond) },
	} {
		if got := testing.AllocsPerRun(1000, f); got != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, got)
		}
	}
}

func BenchmarkCounterInc(b *testing.B) {
	c := metrics.New().Counter("c_total", "C.")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Inc()
		}
	})
}

// BenchmarkPlainAtomic is what a counter of one word would cost: less on one core, more as soon as
// cores share it.
func BenchmarkPlainAtomic(b *testing.B) {
	var n atomic.Uint64
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n.Add(1)
		}
	})
}

func BenchmarkHistogramObserve(b *testing.B) {
	h := metrics.New().Histogram("h_seconds", "H.")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			h.Observe(30 * time.Microsecond)
		}
	})
}

func BenchmarkText(b *testing.B) {
	r := metrics.New()
	metrics.AddGo(r)
	metrics.AddProcess(r)
	var buf []byte
	for b.Loop() {
		buf = r.AppendText(buf[:0])
	}
}
