package check

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus/prometheus/promql/promqltest"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/calibrate"
	"tickercast/model/market"
)

// randomPanel makes tickers with GARCH(1,1) returns that are partly in common. The last 60 days are
// so many times as volatile as the others.
func randomPanel(t *testing.T, seed uint64, times float64) *market.Panel {
	t.Helper()
	const tickers, days, common = 25, 430, 0.2
	rng := rand.New(rand.NewPCG(seed, 3))
	shared := make([]float64, days)
	for i := range shared {
		shared[i] = rng.NormFloat64()
	}
	var all []market.Series
	for k := range tickers {
		s := market.Series{Ticker: fmt.Sprintf("T%d", k)}
		day, price, h := calendar.Of(2024, time.January, 2), 50.0, 1.0
		scale := 0.01 + 0.01*rng.Float64()
		for i := range days {
			day = calendar.Default().Next(day, 1)
			own := math.Sqrt(1-common) * rng.NormFloat64()
			z := math.Sqrt(h) * (math.Sqrt(common)*shared[i] + own)
			h = 0.03 + 0.08*z*z + 0.89*h
			if i >= days-60 {
				z *= times
			}
			price *= math.Exp(scale * z)
			s.Dates, s.Close = append(s.Dates, day), append(s.Close, price)
		}
		all = append(all, s)
	}
	p, err := market.NewPanel(all)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// judged are the series of a server that serves a panel.
func judged(t *testing.T, p *market.Panel, labels string) string {
	t.Helper()
	m, err := model.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	mk, err := market.New(t.Context(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := calibrate.Judge(t.Context(), calibrate.NewYearly(m, p, nil), mk.Daily(),
		mk.MarketIndex(), calibrate.Origins(mk.Daily(), 120))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("tickercast_coverage_beyond_chance{%s, closes=\"few\"} %v\n"+
		"tickercast_coverage_beyond_chance{%[1]s, closes=\"many\"} %[3]v\n", labels, r.TooFew,
		r.TooMany)
}

// coverageAlert is the expression of the alert.
func coverageAlert(t *testing.T) string {
	t.Helper()
	for _, g := range object[monitoring.PrometheusRule](t, render(t, "overlays/production"),
		"PrometheusRule/tickercast").Spec.Groups {
		for _, r := range g.Rules {
			if r.Alert == "TickercastCoverageOff" {
				return r.Expr.String()
			}
		}
	}
	t.Fatal("no alert for coverage")
	return ""
}

// firingJobs is for how many jobs the alert fires on series.
func firingJobs(t *testing.T, expr, series string) int {
	t.Helper()
	var load strings.Builder
	load.WriteString("load 1m\n")
	for line := range strings.Lines(series) {
		load.WriteString("  " + strings.TrimSpace(line) + "\n")
	}
	storage := promqltest.LoadedStorage(t, load.String())
	defer storage.Close()
	query, err := promqltest.NewTestEngine(t, false, 0, 1e6).NewInstantQuery(t.Context(), storage,
		nil, expr, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer query.Close()
	vector, err := query.Exec(t.Context()).Vector()
	if err != nil {
		t.Fatal(err)
	}
	jobs := map[string]bool{}
	for _, sample := range vector {
		jobs[sample.Metric.Get("job")] = true
	}
	return len(jobs)
}

// TestCoverageAlert judges 200 panels as a server does: the alert fires on at most 10 of them. It
// fires on nearly all of those that have become three times as volatile.
func TestCoverageAlert(t *testing.T) {
	if testing.Short() {
		t.Skip("hundreds of panels")
	}
	expr := coverageAlert(t)
	for _, tt := range []struct {
		times       float64
		panels      int
		least, most int
	}{{1, 200, 0, 10}, {1.5, 40, 0, 40}, {2, 40, 20, 40}, {3, 40, 38, 40}} {
		var series strings.Builder
		for i := range tt.panels {
			series.WriteString(judged(t, randomPanel(t, uint64(i), tt.times),
				fmt.Sprintf(`job="tickercast-%d", namespace="n", instance="a"`, i)))
		}
		got := firingJobs(t, expr, series.String())
		t.Logf("%v times as volatile: the alert fires on %d of %d panels", tt.times, got, tt.panels)
		if got < tt.least || got > tt.most {
			t.Errorf("%v times as volatile: it fires on %d of %d, want %d to %d", tt.times, got,
				tt.panels, tt.least, tt.most)
		}
	}
}

// TestCoverageAlertOfAServer serves the same prices calm and wild: only of the wild ones does the
// alert fire.
func TestCoverageAlertOfAServer(t *testing.T) {
	if testing.Short() {
		t.Skip("two servers")
	}
	expr := coverageAlert(t)
	for _, times := range []float64{1, 3} {
		p := randomPanel(t, 1, times)
		var csv strings.Builder
		csv.WriteString("date,ticker,close\n")
		for _, s := range p.Series() {
			for i, c := range s.Close {
				fmt.Fprintf(&csv, "%s,%s,%.10g\n", s.Dates[i], s.Ticker, c)
			}
		}
		path := filepath.Join(t.TempDir(), "prices.csv")
		if err := os.WriteFile(path, []byte(csv.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		server := newServer(t)
		server.start(t, "-prices", path)
		var series strings.Builder
		patience := time.After(2 * time.Minute)
		for !strings.Contains(series.String(), "\ntickercast_calibration_forecasts 3") {
			select {
			case <-time.After(50 * time.Millisecond):
			case <-patience:
				t.Fatal("the server did not judge its forecasts")
			}
			_, text := server.get(t, server.admin, "/metrics")
			series.Reset()
			series.WriteString(text)
		}
		var own strings.Builder
		for line := range strings.Lines(series.String()) {
			if rest, ok := strings.CutPrefix(line, "tickercast_coverage_beyond_chance{"); ok {
				own.WriteString(`tickercast_coverage_beyond_chance{job="tickercast", ` +
					`namespace="n", instance="a", ` + rest)
			}
		}
		if got, want := firingJobs(t, expr, own.String()), int(times)/3; got != want {
			t.Errorf("%v times as volatile: the alert fires %d times, want %d: %s", times, got,
				want, &own)
		}
	}
}
