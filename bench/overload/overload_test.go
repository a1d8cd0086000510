//go:build linux

package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"tickercast/bench/load"
	"tickercast/bench/proc"
)

// TestShort overloads a server for a fraction of a second in each scenario and checks what does not
// depend on the speed of the machine: it answers with 200 or, to batches, with 503, and lives. The
// scenarios run side by side, so that the test is short even if every request times out.
func TestShort(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds of load")
	}
	binary, err := proc.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	o := options{binary: binary, clients: 2, limit: 500 * time.Millisecond,
		load: 100 * time.Millisecond, storm: 100 * time.Millisecond, rates: []float64{10}, after: 1,
		slice: 50 * time.Millisecond, log: io.Discard}
	t.Run("scenarios", func(t *testing.T) { // ends before the directory is removed
		for _, s := range scenarios() {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				testShort(t, &run{scenario: s, options: o, knee: min(s.firstRate, 1000)})
			})
		}
	})
}

func testShort(t *testing.T, r *run) {
	if err := r.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer r.server.Stop()
	stop := r.watchMemory()
	if err := r.overload(t.Context()); err != nil {
		t.Error(err)
	}
	stop()
	if r.server.Exited() {
		t.Error("the server has exited")
	}
	if r.memory > memoryLimit || r.memory < 1<<20 {
		t.Errorf("%d bytes resident", r.memory)
	}
	if len(r.phases) != 3 {
		t.Fatalf("%d phases, want the knee, one overload and a storm", len(r.phases))
	}
	good := int64(0)
	for _, p := range r.phases {
		for status, n := range p.result.Statuses {
			if status != 200 && (status != 503 || !r.sheds) {
				t.Errorf("%s: %d answers with status %d", p.name, n, status)
			}
		}
		for name, n := range p.result.Errors {
			if name != "timeout" {
				t.Errorf("%s: %d times %q", p.name, n, name)
			}
		}
		if good += p.result.Good; p.result.Good > p.result.Accepted.Count() {
			t.Errorf("%s: %d good answers of %d", p.name, p.result.Good,
				p.result.Accepted.Count())
		}
	}
	if good == 0 {
		t.Error("no good answer at all")
	}
	var out bytes.Buffer
	r.report(&out)
	if !strings.Contains(out.String(), "10 times") {
		t.Errorf("report:\n%s", &out)
	}
}

func TestRecovery(t *testing.T) {
	good, bad := slice{1000, 990}, slice{1000, 989}
	for _, c := range []struct {
		slices []slice
		want   int
	}{
		{nil, -1},
		{[]slice{good, good}, 0},
		{[]slice{bad, good}, 1},
		{[]slice{good, bad, good}, 2},
		{[]slice{good, bad}, -1},
	} {
		if got := (phase{slices: c.slices}).recovery(); got != c.want {
			t.Errorf("%v: full after %d, want %d", c.slices, got, c.want)
		}
	}
}

// TestTargets breaks one target after the other of a run that meets them all.
func TestTargets(t *testing.T) {
	perfect := func() *run {
		p := func(good int64) phase {
			r := &load.Result{Good: good, Statuses: map[int]int64{200: good},
				Latency: new(load.Histogram), Service: new(load.Histogram),
				Accepted: new(load.Histogram), Refused: new(load.Histogram)}
			r.Accepted.Record(8 * time.Millisecond)
			return phase{seconds: 1, cpu: 0.99, result: r, slices: []slice{{100, 100}}}
		}
		return &run{scenario: scenario{keeps: 0.9}, phases: []phase{p(100), p(95)}}
	}
	for name, breaks := range map[string]func(*run){
		"":        func(*run) {},
		"goodput": func(t *run) { t.phases[1].result.Good = 89 },
		"accepted p99": func(t *run) {
			t.phases[1].result.Accepted.Record(11 * time.Millisecond)
		},
		"none refused":  func(t *run) { t.phases[1].result.Statuses[503] = 1 },
		"full goodput":  func(t *run) { t.phases[1].slices[0].good = 0 },
		"memory":        func(t *run) { t.memory = memoryLimit + 1 },
		"the same":      func(t *run) { t.exited = true },
		"the server is": func(t *run) { t.phases[1].cpu = 0.5 },
		"refused within": func(t *run) {
			t.sheds = true
			t.phases[1].result.Refused.Record(5 * time.Millisecond)
		},
	} {
		r := perfect()
		breaks(r)
		var missed []string
		for _, target := range r.targets() {
			if !target.met {
				missed = append(missed, target.want)
			}
		}
		if name == "" && len(missed) > 0 || name != "" &&
			(len(missed) != 1 || !strings.HasPrefix(missed[0], name)) {
			t.Errorf("%q broken: missed %q", name, missed)
		}
	}
}
