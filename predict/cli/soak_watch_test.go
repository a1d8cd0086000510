package cli_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A reading is what a server holds at a moment.
type reading struct {
	goroutines, descriptors float64
	resident                float64 // bytes
	// bytes of heap that the last collection left, by its goal for the next
	live float64
}

func (r reading) String() string {
	return fmt.Sprintf("%.0f goroutines, %.0f descriptors, %.1f MB resident, %.1f MB live",
		r.goroutines, r.descriptors, r.resident/1e6, r.live/1e6)
}

// sampleOf finds a figure in the Prometheus text.
func sampleOf(text, name string) (float64, error) {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("no %s in the metrics", name)
}

// A quantity is what must not grow, and what growth is none: a share of it and an amount.
type quantity struct {
	name         string
	of           func(reading) float64
	share, floor float64
}

// quantities and their limits, of medians over a quarter of a run. What comes and goes is a few
// connections and a reload at a time, so the counts may differ by a few. Memory is a sawtooth of a
// third of itself, of collections and reloads, whose medians differ by some percent in a run of
// minutes. A goroutine or descriptor that is lost in each reload is beyond that within a minute,
// and two bytes that are lost in each request within half an hour.
var quantities = []quantity{
	{"goroutines", func(r reading) float64 { return r.goroutines }, 0.02, 3},
	{"descriptors", func(r reading) float64 { return r.descriptors }, 0.02, 3},
	{"resident memory", func(r reading) float64 { return r.resident }, 0.1, 1 << 20},
	{"live heap", func(r reading) float64 { return r.live }, 0.1, 1 << 20},
}

// growth compares the last quarter of the readings with the second, in which caches and pools are
// full. It returns both medians, which single readings do not move.
func (q quantity) growth(all []reading) (second, last float64, grows bool) {
	n := len(all)
	median := func(part []reading) float64 {
		values := make([]float64, len(part))
		for i, r := range part {
			values[i] = q.of(r)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	second, last = median(all[n/4:n/2]), median(all[3*n/4:])
	return second, last, last-second > q.share*second+q.floor
}

func TestGrowth(t *testing.T) {
	rnd := rand.New(rand.NewPCG(6, 0))
	q := quantity{"x", func(r reading) float64 { return r.goroutines }, 0.02, 3}
	for name, tt := range map[string]struct {
		at    func(i int) float64
		grows bool
	}{
		"flat":              {func(int) float64 { return 100 }, false},
		"a sawtooth":        {func(i int) float64 { return 100 + float64(i%10)*5 }, false},
		"noise":             {func(int) float64 { return 100 + 30*rnd.NormFloat64() }, false},
		"rises, then stays": {func(i int) float64 { return min(100, float64(i)) }, false},
		"falls":             {func(i int) float64 { return 1000 - float64(i) }, false},
		"one peak":          {func(i int) float64 { return 100 + float64(i/399*1e6) }, false},
		"a slow leak":       {func(i int) float64 { return 100 + float64(i)/20 }, true},
		"a leak in noise": {func(i int) float64 {
			return 100 + float64(i)/10 +
				10*rnd.NormFloat64()
		}, true},
	} {
		var all []reading
		for i := range 400 {
			all = append(all, reading{goroutines: tt.at(i)})
		}
		if second, last, grows := q.growth(all); grows != tt.grows {
			t.Errorf("%s: from %v to %v, taken for growth: %v", name, second, last, grows)
		}
	}
	if _, err := sampleOf("# HELP a b\na_total 1\na 2\n", "a"); err != nil {
		t.Error(err)
	}
}
