// Check compares a run of the benchmarks with the committed baseline and fails when something was
// lost:
//
//	go run ./bench/check            compare
//	go run ./bench/check -update    measure a new baseline
//
// The baseline holds no times, which differ from one machine to the next, but counts (allocations,
// calls on the connection) and CPU time as a multiple of what a bare net/http handler takes in the
// same benchmark, in turn with it. What else runs on the machine can still make a round look bad
// and never good, so a loss counts only if every round shows it. With fifteen runnable tasks on two
// CPUs single rounds without a loss stayed within 9 %, and a loss of 60 ns planted in the fast lane
// was found.
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

// A baseline is a value for each watched metric of each watched benchmark, and what it was measured
// on.
type baseline struct {
	Go      string  `json:"go"`
	CPU     string  `json:"cpu"`
	Metrics metrics `json:"metrics"`
}

// metrics are values by benchmark and unit.
type metrics map[string]map[string]float64

// tolerance is the loss that is not one yet. A ratio of two CPU times may be another on another CPU
// or with another net/http, so that there only a loss beyond doubt counts; counts stay what they
// are.
const (
	tolerance      = 0.10
	looseTolerance = 0.30
)

func (b *baseline) tolerance(unit string, here baseline) float64 {
	if unit == "x-reference" && (b.Go != here.Go || b.CPU != here.CPU) {
		return looseTolerance
	}
	return tolerance
}

func run(ctx context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("check", flag.ContinueOnError)
	update := fs.Bool("update", false, "write a new baseline")
	rounds := fs.Int("rounds", 5,
		"how often a loss must show before it counts; with -update, rounds to take the median of")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *rounds < 1 || *rounds > 20 {
		return fmt.Errorf("%d rounds, want 1 to 20", *rounds)
	}
	dir, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}",
		"tickercast/bench/check").Output()
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
	best := baseline{Metrics: make(metrics)}
	for round := range *rounds {
		now, err := measure(ctx)
		if err != nil {
			return err
		}
		best.Go, best.CPU = now.Go, now.CPU
		keepBest(best.Metrics, now.Metrics)
		lost := compare(base, best)
		if len(lost) == 0 {
			return printTable(out, base, best)
		}
		fmt.Fprintf(out, "round %d of %d: worse than the baseline: %s\n", round+1, *rounds,
			strings.Join(lost, ", "))
	}
	if err := printTable(out, base, best); err != nil {
		return err
	}
	return fmt.Errorf("worse than the baseline in each of %d rounds: %s", *rounds,
		strings.Join(compare(base, best), ", "))
}

// measure runs the watched benchmarks once.
func measure(ctx context.Context) (baseline, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench",
		"^Benchmark(Handler|Hit|Miss|LaneHit|LaneMiss)$", "-benchtime", "100000x",
		"tickercast/bench")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return baseline{}, fmt.Errorf("running the benchmarks: %w:\n%s", err, out)
	}
	now := parse(string(out))
	now.Go = runtime.Version()
	for name, units := range watched {
		for _, unit := range units {
			if _, ok := now.Metrics[name][unit]; !ok {
				return baseline{}, fmt.Errorf("%s reports no %s:\n%s", name, unit, out)
			}
		}
	}
	return now, nil
}

// parse reads the output of go test -bench: the CPU and what is watched.
func parse(out string) baseline {
	b := baseline{Metrics: make(metrics)}
	got := b.Metrics
	for line := range strings.Lines(out) {
		if cpu, ok := strings.CutPrefix(line, "cpu: "); ok {
			b.CPU = strings.TrimSpace(cpu)
		}
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
	return b
}

// keepBest lowers what best holds to what now is better in.
func keepBest(best, now metrics) {
	for name, values := range now {
		if best[name] == nil {
			best[name] = maps.Clone(values)
			continue
		}
		for unit, v := range values {
			best[name][unit] = min(best[name][unit], v)
		}
	}
}

// compare names the metrics that are worse than the baseline by more than is tolerated, in order.
func compare(base, now baseline) (lost []string) {
	for name, values := range base.Metrics {
		for unit, was := range values {
			if v, ok := now.Metrics[name][unit]; !ok || v > was*(1+base.tolerance(unit, now)) {
				lost = append(lost, name+" "+unit)
			}
		}
	}
	slices.Sort(lost)
	return lost
}

func printTable(w io.Writer, base, now baseline) error {
	var b strings.Builder
	if base.Go != now.Go || base.CPU != now.CPU {
		fmt.Fprintf(&b,
			"the baseline is from %s on %s, this is %s on %s: ratios may be off by %.0f %%\n",
			base.Go, base.CPU, now.Go, now.CPU, 100*looseTolerance)
	}
	fmt.Fprintf(&b, "%-24s %-12s %10s %10s %9s\n", "benchmark", "metric", "baseline", "now",
		"change")
	for _, name := range slices.Sorted(maps.Keys(base.Metrics)) {
		for _, unit := range slices.Sorted(maps.Keys(base.Metrics[name])) {
			was, is := base.Metrics[name][unit], now.Metrics[name][unit]
			change := "0 %"
			if was != 0 {
				change = fmt.Sprintf("%+.1f %%", 100*(is/was-1))
			} else if is != 0 {
				change = "from none"
			}
			fmt.Fprintf(&b, "%-24s %-12s %10.4g %10.4g %9s\n", name, unit, was, is, change)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// renew measures a baseline: the median of the rounds.
func renew(ctx context.Context, path string, rounds int) error {
	var last baseline
	values := make(map[string]map[string][]float64)
	for range rounds {
		now, err := measure(ctx)
		if err != nil {
			return err
		}
		for name, units := range now.Metrics {
			if values[name] == nil {
				values[name] = make(map[string][]float64)
			}
			for unit, v := range units {
				values[name][unit] = append(values[name][unit], v)
			}
		}
		last = now
	}
	for name, units := range values {
		for unit, v := range units {
			slices.Sort(v)
			last.Metrics[name][unit] = v[len(v)/2]
		}
	}
	b, err := json.MarshalIndent(last, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}
