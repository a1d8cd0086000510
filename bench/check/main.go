// Check compares a run of the benchmarks with the committed baseline and fails when something was lost:
//
//	go run ./bench/check            compare
//	go run ./bench/check -update    measure a new baseline
//
// The baseline holds no times, which differ from one machine to the next, but counts (allocations, calls on the
// connection) and CPU time as a multiple of what a bare net/http handler takes in the same benchmark, in turn with it. What else runs
// on the machine can still make a round look bad and never good, so a loss counts only if every round shows it. Measured with
// twenty runnable tasks on two CPUs: a run without a loss stays within 8 %, and a loss of 100 ns planted in the fast lane,
// which takes 600, is found.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	fmt.Fprintln(os.Stderr, "check:", err)
	os.Exit(1)
}

// watched are the benchmarks and those of their metrics that must not get worse.
var watched = map[string][]string{
	"BenchmarkHandler/hit":  {"allocs/op"},
	"BenchmarkHandler/miss": {"allocs/op", "B/op"},
	"BenchmarkHit":          {"x-reference", "calls/op"},
	"BenchmarkMiss":         {"x-reference"},
	"BenchmarkLaneHit":      {"x-reference", "calls/op", "allocs/op"},
	"BenchmarkLaneMiss":     {"x-reference", "allocs/op"},
}

// A baseline is a value for each watched metric of each watched benchmark.
type baseline struct {
	Go      string                        `json:"go"` // version that it was measured with
	Metrics map[string]map[string]float64 `json:"metrics"`
}

// tolerance is the loss that is not one yet.
const tolerance = 0.10

func run(ctx context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("check", flag.ContinueOnError)
	update := fs.Bool("update", false, "write a new baseline")
	rounds := fs.Int("rounds", 5, "how often a loss must show before it counts; with -update, rounds to take the median of")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *rounds < 1 || *rounds > 20 {
		return fmt.Errorf("%d rounds, want 1 to 20", *rounds)
	}
	dir, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", "tickercast/bench/check").Output()
	if err != nil {
		return fmt.Errorf("looking for the baseline: %w", err)
	}
	path := filepath.Join(strings.TrimSpace(string(dir)), "baseline.json")
	if *update {
		return renew(ctx, path, *rounds)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var base baseline
	if err := json.Unmarshal(b, &base); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	best := make(map[string]map[string]float64)
	for round := range *rounds {
		now, err := measure(ctx)
		if err != nil {
			return err
		}
		keepBest(best, now)
		lost := compare(base.Metrics, best)
		if len(lost) == 0 {
			return printTable(out, base.Metrics, best)
		}
		fmt.Fprintf(out, "round %d of %d: worse than the baseline: %s\n", round+1, *rounds, strings.Join(lost, ", "))
	}
	if err := printTable(out, base.Metrics, best); err != nil {
		return err
	}
	return fmt.Errorf("worse than the baseline by more than %.0f %% in each of %d rounds: %s", 100*tolerance, *rounds, strings.Join(compare(base.Metrics, best), ", "))
}

// measure runs the watched benchmarks once.
func measure(ctx context.Context) (map[string]map[string]float64, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^Benchmark(Handler|Hit|Miss|LaneHit|LaneMiss)$", "-benchtime", "20000x", "tickercast/bench")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("running the benchmarks: %w:\n%s", err, out)
	}
	now := parse(string(out))
	for name, metrics := range watched {
		for _, m := range metrics {
			if _, ok := now[name][m]; !ok {
				return nil, fmt.Errorf("%s reports no %s:\n%s", name, m, out)
			}
		}
	}
	return now, nil
}

// parse reads the output of go test -bench: what is watched of it.
func parse(out string) map[string]map[string]float64 {
	got := make(map[string]map[string]float64)
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") {
			continue
		}
		name := f[0]
		if i := strings.LastIndexByte(name, '-'); i > 0 { // the number of CPUs
			name = name[:i]
		}
		for i := 2; i+1 < len(f); i += 2 {
			v, err := strconv.ParseFloat(f[i], 64)
			if err != nil || !slices.Contains(watched[name], f[i+1]) {
				continue
			}
			if got[name] == nil {
				got[name] = make(map[string]float64)
			}
			got[name][f[i+1]] = v
		}
	}
	return got
}

// keepBest lowers what best holds to what now is better in.
func keepBest(best, now map[string]map[string]float64) {
	for name, metrics := range now {
		if best[name] == nil {
			best[name] = maps.Clone(metrics)
			continue
		}
		for m, v := range metrics {
			best[name][m] = min(best[name][m], v)
		}
	}
}

// compare names the metrics that are worse than the baseline by more than the tolerance, in order.
func compare(base, now map[string]map[string]float64) (lost []string) {
	for name, metrics := range base {
		for m, was := range metrics {
			if v, ok := now[name][m]; !ok || v > was*(1+tolerance) {
				lost = append(lost, name+" "+m)
			}
		}
	}
	slices.Sort(lost)
	return lost
}

func printTable(w io.Writer, base, now map[string]map[string]float64) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%-24s %-12s %10s %10s %9s\n", "benchmark", "metric", "baseline", "now", "change")
	for _, name := range slices.Sorted(maps.Keys(base)) {
		for _, m := range slices.Sorted(maps.Keys(base[name])) {
			was, is := base[name][m], now[name][m]
			change := "0 %"
			if was != 0 {
				change = fmt.Sprintf("%+.1f %%", 100*(is/was-1))
			} else if is != 0 {
				change = "from none"
			}
			fmt.Fprintf(&b, "%-24s %-12s %10.4g %10.4g %9s\n", name, m, was, is, change)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// renew measures a baseline: the median of the rounds.
func renew(ctx context.Context, path string, rounds int) error {
	values := make(map[string]map[string][]float64)
	for range rounds {
		now, err := measure(ctx)
		if err != nil {
			return err
		}
		for name, metrics := range now {
			if values[name] == nil {
				values[name] = make(map[string][]float64)
			}
			for m, v := range metrics {
				values[name][m] = append(values[name][m], v)
			}
		}
	}
	base := baseline{Go: runtime.Version(), Metrics: make(map[string]map[string]float64)}
	for name, metrics := range values {
		base.Metrics[name] = make(map[string]float64)
		for m, v := range metrics {
			slices.Sort(v)
			base.Metrics[name][m] = v[len(v)/2]
		}
	}
	b, err := json.MarshalIndent(base, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}
