// Check compares the benchmarks with the committed baseline and fails if one got worse:
//
//	go run ./bench/check            compare
//	go run ./bench/check -update    measure a new baseline; run it at the root of the module
//
// The baseline holds counts (allocations, calls on the connection) and CPU time as a multiple of
// that of a bare net/http handler, measured in turn with it, because times differ between machines.
// Other load on the machine can only make a round look worse, so a loss counts only if every round
// shows it. With fifteen runnable tasks on two CPUs single rounds stayed within 9 %, and a loss of
// 60 ns planted in the fast lane was found.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"tickercast/bench/command"
)

//go:embed baseline.json
var committed []byte

// baselinePath is where -update writes, below the root of the module.
const baselinePath = "bench/check/baseline.json"

// A baseline holds the metrics that must not get worse and what they were measured on.
type baseline struct {
	Go      string  `json:"go"`
	CPU     string  `json:"cpu"`
	Metrics metrics `json:"metrics"`
}

// metrics has a value for each benchmark and unit.
type metrics map[string]float64

// A loss counts from tolerance on. Ratios of CPU times depend on the CPU and on the version of
// net/http: if either differs from the baseline's, looseTolerance holds for them.
const (
	tolerance      = 0.10
	looseTolerance = 0.30
)

func (b *baseline) tolerance(metric string, here baseline) float64 {
	if strings.HasSuffix(metric, "x-reference") && (b.Go != here.Go || b.CPU != here.CPU) {
		return looseTolerance
	}
	return tolerance
}

func main() { command.Main("check", run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("check", flag.ContinueOnError)
	update := fs.Bool("update", false, "write a new baseline")
	rounds := fs.Int("rounds", 5,
		"rounds that must all show a loss; with -update, rounds to take the median of")
	if err := command.Parse(fs, args, stderr); err != nil {
		return err
	}
	if *rounds < 1 || *rounds > 20 {
		return fmt.Errorf("%w: %d rounds, want 1 to 20", command.ErrUsage, *rounds)
	}
	var base baseline
	if err := json.Unmarshal(committed, &base); err != nil {
		return fmt.Errorf("baseline.json: %w", err)
	}
	if *update {
		return updateBaseline(ctx, base, *rounds)
	}
	best := baseline{Metrics: make(metrics)}
	var lost []string
	for round := range *rounds {
		now, err := measure(ctx, base)
		if err != nil {
			return err
		}
		best.Go, best.CPU = now.Go, now.CPU
		keepBest(best.Metrics, now.Metrics)
		if lost = compare(base, best); len(lost) == 0 {
			printTable(stdout, base, best)
			return nil
		}
		fmt.Fprintf(stdout, "round %d of %d: worse than the baseline: %s\n", round+1, *rounds,
			strings.Join(lost, ", "))
	}
	printTable(stdout, base, best)
	return fmt.Errorf("worse than the baseline in each of %d rounds: %s", *rounds,
		strings.Join(lost, ", "))
}

// benchmarks are those of the baseline.
const benchmarks = "^Benchmark(Handler|Hit|Miss|LaneHit|LaneMiss|Road)$"

// measure runs the benchmarks of the baseline once.
func measure(ctx context.Context, base baseline) (baseline, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench",
		benchmarks, "-benchtime", "20000x",
		"tickercast/bench")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return baseline{}, fmt.Errorf("running the benchmarks: %w:\n%s", err, out)
	}
	now := parse(string(out), base.Metrics)
	now.Go = runtime.Version()
	for metric := range base.Metrics {
		if _, ok := now.Metrics[metric]; !ok {
			return baseline{}, fmt.Errorf("no %s in:\n%s", metric, out)
		}
	}
	return now, nil
}

// parse reads the CPU and the wanted metrics from the output of go test -bench.
func parse(out string, wanted metrics) baseline {
	b := baseline{Metrics: make(metrics)}
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
			metric := name + " " + f[i+1]
			if _, ok := wanted[metric]; !ok {
				continue
			}
			if v, err := strconv.ParseFloat(f[i], 64); err == nil {
				b.Metrics[metric] = v
			}
		}
	}
	return b
}

// keepBest lowers the values of best to those of now that are lower.
func keepBest(best, now metrics) {
	for metric, v := range now {
		if old, ok := best[metric]; !ok || v < old {
			best[metric] = v
		}
	}
}

// compare returns the metrics that are worse than the baseline by more than is tolerated, sorted.
func compare(base, now baseline) (lost []string) {
	for metric, was := range base.Metrics {
		if v, ok := now.Metrics[metric]; !ok || v > was*(1+base.tolerance(metric, now)) {
			lost = append(lost, metric)
		}
	}
	slices.Sort(lost)
	return lost
}

func printTable(w io.Writer, base, now baseline) {
	if base.Go != now.Go || base.CPU != now.CPU {
		fmt.Fprintf(w, "baseline: %s on %s; this run: %s on %s; ratios may differ by %.0f %%\n",
			base.Go, base.CPU, now.Go, now.CPU, 100*looseTolerance)
	}
	fmt.Fprintf(w, "%-36s %10s %10s %9s\n", "metric", "baseline", "now", "change")
	for _, metric := range slices.Sorted(maps.Keys(base.Metrics)) {
		was, is := base.Metrics[metric], now.Metrics[metric]
		change := "0 %"
		if was != 0 {
			change = fmt.Sprintf("%+.1f %%", 100*(is/was-1))
		} else if is != 0 {
			change = "from none"
		}
		fmt.Fprintf(w, "%-36s %10.4g %10.4g %9s\n", metric, was, is, change)
	}
}

// updateBaseline measures the metrics of the baseline anew and writes the median of the rounds.
func updateBaseline(ctx context.Context, b baseline, rounds int) error {
	values := make(map[string][]float64)
	for range rounds {
		now, err := measure(ctx, b)
		if err != nil {
			return err
		}
		b.Go, b.CPU = now.Go, now.CPU
		for metric, v := range now.Metrics {
			values[metric] = append(values[metric], v)
		}
	}
	for metric, v := range values {
		slices.Sort(v)
		b.Metrics[metric] = v[len(v)/2]
	}
	text, err := json.MarshalIndent(b, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(baselinePath, append(text, '\n'), 0o644)
}
