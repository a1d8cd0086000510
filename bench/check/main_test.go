package main

import (
	"reflect"
	"strings"
	"testing"
)

const output = `goos: linux
cpu: A CPU with - and 2
BenchmarkHandler/hit-2         	   20000	       378.5 ns/op	       0 B/op	       0 allocs/op
BenchmarkHandler/miss-16       	   20000	      4576 ns/op	    1227 B/op	       6 allocs/op
BenchmarkHit-2	20000	7029 ns/op	2.500 calls/op	1.134 x-reference	2328 B/op	24 allocs/op
BenchmarkUnknown-2             	   20000	      7029 ns/op	         1.134 x-reference
PASS
`

func TestParse(t *testing.T) {
	want := metrics{
		"BenchmarkHandler/hit allocs/op":  0,
		"BenchmarkHandler/miss allocs/op": 6,
		"BenchmarkHandler/miss B/op":      1227,
		"BenchmarkHit x-reference":        1.134,
		"BenchmarkHit calls/op":           2.5,
	}
	if got := parse(output, want); !reflect.DeepEqual(got.Metrics, want) ||
		got.CPU != "A CPU with - and 2" {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestCompare(t *testing.T) {
	base := metrics{"A x": 1, "A allocs": 0, "B x": 10}
	for _, tt := range []struct {
		name string
		now  metrics
		want string
	}{
		{"same", base, ""},
		{"within ten percent", metrics{"A x": 1.1, "A allocs": 0, "B x": 10.9}, ""},
		{"better", metrics{"A x": 0.1, "A allocs": 0, "B x": 1}, ""},
		{"worse", metrics{"A x": 1.11, "A allocs": 0, "B x": 12}, "A x, B x"},
		{"one allocation where none was", metrics{"A x": 1, "A allocs": 1, "B x": 10},
			"A allocs"},
		{"gone", metrics{"A x": 1, "A allocs": 0}, "B x"},
	} {
		lost := compare(baseline{Metrics: base}, baseline{Metrics: tt.now})
		if got := strings.Join(lost, ", "); got != tt.want {
			t.Errorf("%s: lost %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestNoiseIsForgiven has a metric that is bad in one round and good in another.
func TestNoiseIsForgiven(t *testing.T) {
	base := metrics{"A x": 1, "A y": 1}
	best := make(metrics)
	keepBest(best, metrics{"A x": 2, "A y": 1})
	if got := compare(baseline{Metrics: base}, baseline{Metrics: best}); len(got) != 1 {
		t.Errorf("after the bad round: %v, want one loss", got)
	}
	keepBest(best, metrics{"A x": 1, "A y": 2})
	if got := compare(baseline{Metrics: base}, baseline{Metrics: best}); len(got) != 0 {
		t.Errorf("after a good round for each: %v, want none", got)
	}
}

func TestPrintTable(t *testing.T) {
	var b strings.Builder
	base := metrics{"A x": 2, "A allocs": 0}
	printTable(&b, baseline{CPU: "old", Metrics: base},
		baseline{CPU: "new", Metrics: metrics{"A x": 3, "A allocs": 1}})
	if got := b.String(); !strings.Contains(got, "+50.0 %") ||
		!strings.Contains(got, "from none") || !strings.Contains(got, "on old") {
		t.Errorf("table:\n%s", got)
	}
}

// TestAnotherMachine: on another CPU or with another Go the tolerance is larger for ratios only.
func TestAnotherMachine(t *testing.T) {
	base := baseline{Go: "go1", CPU: "a",
		Metrics: metrics{"A x-reference": 1, "A allocs/op": 10}}
	worse := metrics{"A x-reference": 1.2, "A allocs/op": 12}
	for _, tt := range []struct{ goVersion, cpu, want string }{
		{"go1", "a", "A allocs/op, A x-reference"},
		{"go1", "b", "A allocs/op"},
		{"go2", "a", "A allocs/op"},
	} {
		lost := compare(base, baseline{Go: tt.goVersion, CPU: tt.cpu, Metrics: worse})
		if got := strings.Join(lost, ", "); got != tt.want {
			t.Errorf("%s on %s: lost %q, want %q", tt.goVersion, tt.cpu, got, tt.want)
		}
	}
}
