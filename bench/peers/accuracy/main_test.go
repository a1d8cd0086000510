//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tickercast/bench/command"
	"tickercast/bench/peers/pyenv"
)

// TestMain is the peers where a test starts this binary for them.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "peers" {
		if err := fakePeers(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// fakePeers knows one method, whose intervals are far too wide, and one that fails on the last
// series.
func fakePeers(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var q question
	if err := json.Unmarshal(b, &q); err != nil {
		return err
	}
	for _, name := range []string{"wide", "odd"} {
		for i := range q.Series {
			r := reply{Method: name, Series: i, CPU: 0.25}
			for range q.Days {
				row := make([]float64, 2*len(q.Confidences))
				for l := range q.Confidences {
					row[l], row[l+len(q.Confidences)] = -3, 3
				}
				r.Bounds = append(r.Bounds, row)
			}
			if name == "odd" && i == len(q.Series)-1 {
				r.Bounds, r.Error = nil, "ValueError: odd"
			}
			line, err := json.Marshal(r)
			if err != nil {
				return err
			}
			fmt.Println(string(line))
		}
	}
	return nil
}

// TestCompare runs the whole command with the real tickercast, its embedded prices, and peers that
// are made up.
func TestCompare(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts tickercast")
	}
	keep := filepath.Join(t.TempDir(), "keep")
	o, err := parse([]string{"-tickers", "3", "-origins", "2", "-keep", keep}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	started := 0
	start := func(ctx context.Context, _, input string, _ io.Writer) (*exec.Cmd, string, error) {
		started++
		self, err := os.Executable()
		return exec.CommandContext(ctx, self, "peers", input), "fake 1.0", err
	}
	var reports [2]string
	for i := range reports {
		var out, log strings.Builder
		if err := compare(t.Context(), o, start, &out, &log); err != nil {
			t.Fatalf("%v\n%s", err, &log)
		}
		reports[i] = out.String()
	}
	for _, want := range []string{
		"3 tickers, 2 dates from 20",
		"; 5 forecasts of each method. The peers see 250 closes: fake 1.0.\n",
		"odd failed on 1 series, which are left out for all: ValueError: odd\n",
		"| wide | 1325.0 | 1325.0 | 1325.0 | -9", // a loss that the mean of (1-c)/2 gives
		"| 8.83 | +20.0 (80 %, 1) | 250.00 |\n",
		"| wide | all | 100.0 | 100.0 | 100.0 | 100.0 | 100.0 | 100.0 |\n",
		"\n| tickercast, the same closes only | 1-5 |",
	} {
		if !strings.Contains(reports[0], want) {
			t.Errorf("no %q in\n%s", want, reports[0])
		}
	}
	if started != 1 {
		t.Errorf("the peers were started %d times, want once: the second run has them kept", started)
	}
	tables := func(s string) []string { return strings.Split(s, "\n| ") }
	a, b := tables(reports[0]), tables(reports[1])
	if a[len(a)-1] != b[len(b)-1] || !strings.Contains(reports[1], "fake 1.0.\n") {
		t.Errorf("two reports of the same forecasts:\n%s\n%s", reports[0], reports[1])
	}
}

// TestReplies: what peers write is checked before it is judged.
func TestReplies(t *testing.T) {
	good := `{"method":"m","series":0,"bounds":[` +
		strings.TrimSuffix(strings.Repeat("[-6,-5,-4,-3,-2,-1,1,2,3,4,5,6],", days), ",") + `]}`
	all, err := readReplies(json.NewDecoder(strings.NewReader(good)), 1, io.Discard)
	if err != nil || all[0].bounds[0][29][0][5] != -1 || all[0].bounds[0][29][1][5] != 6 {
		t.Fatalf("%+v, error %v", all, err)
	}
	for name, tt := range map[string]struct {
		text string
		want string
	}{
		"nothing":  {"", "nothing"},
		"no JSON":  {good + "Traceback", "invalid character"},
		"too many": {good + good, "follows"},
		"another":  {strings.Replace(good, `:0`, `:1`, 1), "follows"},
	} {
		_, err := readReplies(json.NewDecoder(strings.NewReader(tt.text)), 1, io.Discard)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", name, err, tt.want)
		}
	}
	if _, err := readReplies(json.NewDecoder(strings.NewReader(good)), 2, io.Discard); err == nil {
		t.Error("took one forecast of two series")
	}
	for _, text := range []string{`{"method":"m","series":0,"bounds":[[1]]}`,
		`{"method":"m","series":0,"error":"no"}`, strings.Replace(good, ",6]", "]", 1)} {
		all, err := readReplies(json.NewDecoder(strings.NewReader(text)), 1, io.Discard)
		if err != nil || all[0].bounds[0] != nil || all[0].fault == "" {
			t.Errorf("%.60s: %+v, error %v; want a failure", text, all, err)
		}
	}
}

func TestOptionsRefused(t *testing.T) {
	for _, args := range []string{"-window 20", "-window 2001", "-tickers 0", "-origins -1", "extra",
		"-from soon"} {
		if _, err := parse(strings.Fields(args), io.Discard); !errors.Is(err, command.ErrUsage) {
			t.Errorf("%s: error %v, want a usage error", args, err)
		}
	}
}

// TestRealPeers runs peers.py on random closes. Where pip cannot install what it needs, the test is
// skipped.
func TestRealPeers(t *testing.T) {
	if testing.Short() {
		t.Skip("statsforecast, arch and crepes")
	}
	cache, err := pyenv.Cache()
	if err == nil {
		_, err = pyenv.Make(t.Context(), cache, "accuracy", "requirements.txt", io.Discard)
	}
	if err != nil {
		t.Skipf("the peers cannot be installed here: %v", err)
	}
	o := options{window: 150, tickers: 2, origins: 1, seed: 1}
	task, err := choose(wild(t), o)
	if err != nil {
		t.Fatal(err)
	}
	all, versions, err := fromPeers(t.Context(), o, task, t.TempDir(), python, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 7 || !strings.Contains(versions, "statsforecast ") {
		t.Errorf("%d methods, versions %q", len(all), versions)
	}
	for _, m := range all {
		for i, b := range m.bounds {
			if b == nil {
				t.Errorf("%s, series %d: %s", m.name, i, m.fault)
				continue
			}
			// A step is 2 %, so 95 % of single days are within about 4 %, and of 30 days 22 %.
			for _, tt := range []struct {
				day       int
				low, high float64
			}{{0, 0.02, 0.08}, {29, 0.08, 0.6}} {
				lower, upper := b[tt.day][0][3], b[tt.day][1][3]
				if !(-tt.high < lower && lower < -tt.low) || !(tt.low < upper && upper < tt.high) {
					t.Errorf("%s, series %d, day %d: 95 %% within %v to %v", m.name, i, tt.day+1,
						lower, upper)
				}
			}
		}
	}
}
