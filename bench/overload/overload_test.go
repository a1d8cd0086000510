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

// TestShort puts a server through a fraction of a second of each overload and holds it to what does
// not depend on how fast the machine is: it answers with 200 or, to batches, with 503, and lives.
// On a machine so busy that every request times out it is over after a few seconds: the kinds run
// side by side, and few requests are waited for.
func TestShort(t *testing.T) {
	binary, err := proc.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	o := options{binary: binary, clients: 2, limit: 500 * time.Millisecond,
		load: 100 * time.Millisecond, storm: 100 * time.Millisecond, rates: []float64{10}, after: 1,
		slice: 50 * time.Millisecond, log: io.Discard}
	t.Run("kinds", func(t *testing.T) { // ends before the directory goes
		for _, k := range kinds() {
			t.Run(k.name, func(t *testing.T) {
				t.Parallel()
				short(t, &trial{kind: k, options: o, knee: min(k.first, 1000)})
			})
		}
	})
}

func short(t *testing.T, tr *trial) {
	if err := tr.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer tr.server.Stop()
	stop := tr.watchMemory()
	if err := tr.overload(t.Context()); err != nil {
		t.Error(err)
	}
	stop()
	if tr.server.Exited() {
		t.Error("the server has exited")
	}
	if tr.peak > memory || tr.peak < 1<<20 {
		t.Errorf("%d bytes resident", tr.peak)
	}
	if len(tr.phases) != 3 {
		t.Fatalf("%d phases, want the knee, one overload and a storm", len(tr.phases))
	}
	good := int64(0)
	for _, p := range tr.phases {
		r := p.result
		for status, n := range r.Statuses {
			if status != 200 && (status != 503 || !tr.sheds) {
				t.Errorf("%s: %d answers with status %d", p.name, n, status)
			}
		}
		for name, n := range r.Errors {
			if name != "timeout" {
				t.Errorf("%s: %d times %q", p.name, n, name)
			}
		}
		if good += r.Good; r.Good > r.Accepted.Count() {
			t.Errorf("%s: %d good answers of %d", p.name, r.Good, r.Accepted.Count())
		}
	}
	if good == 0 {
		t.Error("no good answer at all")
	}
	var out bytes.Buffer
	tr.report(&out)
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

// TestVerdicts gives one trial that meets everything, and then breaks one thing after the other.
func TestVerdicts(t *testing.T) {
	perfect := func() *trial {
		p := func(good int64) phase {
			r := &load.Result{Good: good, Statuses: map[int]int64{200: good},
				Latency: new(load.Histogram), Service: new(load.Histogram),
				Accepted: new(load.Histogram), Refused: new(load.Histogram)}
			r.Accepted.Record(8 * time.Millisecond)
			return phase{seconds: 1, cpu: 0.99, result: r, slices: []slice{{100, 100}}}
		}
		return &trial{kind: kind{keeps: 0.9}, phases: []phase{p(100), p(95)}}
	}
	for name, breaks := range map[string]func(*trial){
		"":        func(*trial) {},
		"goodput": func(t *trial) { t.phases[1].result.Good = 89 },
		"accepted p99": func(t *trial) {
			t.phases[1].result.Accepted.Record(11 * time.Millisecond)
		},
		"none refused":  func(t *trial) { t.phases[1].result.Statuses[503] = 1 },
		"full goodput":  func(t *trial) { t.phases[1].slices[0].good = 0 },
		"memory":        func(t *trial) { t.peak = memory + 1 },
		"the same":      func(t *trial) { t.exited = true },
		"the server is": func(t *trial) { t.phases[1].cpu = 0.5 },
		"refused within": func(t *trial) {
			t.sheds = true
			t.phases[1].result.Refused.Record(5 * time.Millisecond)
		},
	} {
		tr := perfect()
		breaks(tr)
		var missed []string
		for _, v := range tr.verdicts() {
			if !v.met {
				missed = append(missed, v.target)
			}
		}
		if name == "" && len(missed) > 0 || name != "" &&
			(len(missed) != 1 || !strings.HasPrefix(missed[0], name)) {
			t.Errorf("%q broken: missed %q", name, missed)
		}
	}
}
