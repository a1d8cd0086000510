package check

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
)

type panel struct {
	ID      int
	Type    string
	Title   string
	GridPos struct{ X, Y, W, H int }
	Targets []struct{ Expr string }
}

func readPanels(t *testing.T) []panel {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "grafana", "tickercast.json"))
	if err != nil {
		t.Fatal(err)
	}
	var board struct{ Panels []panel }
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	return board.Panels
}

// filledIn is a query as Prometheus sees it: Grafana fills in its variables.
func filledIn(expr string) string {
	return strings.NewReplacer("$__rate_interval", "5m", "$job", ".*", "$instance", ".*").
		Replace(expr)
}

func TestDashboard(t *testing.T) {
	panels := readPanels(t)
	series := exposed(scrape(t))
	ids, shown := map[int]bool{}, map[string]bool{}
	for i, p := range panels {
		if ids[p.ID] || p.ID == 0 {
			t.Errorf("%s: the id %d is taken or none", p.Title, p.ID)
		}
		ids[p.ID] = true
		if len(p.Targets) == 0 && p.Type != "row" {
			t.Errorf("%s: shows nothing", p.Title)
		}
		for _, other := range panels[:i] {
			a, b := p.GridPos, other.GridPos
			if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
				t.Errorf("%s lies on %s", p.Title, other.Title)
			}
		}
		if p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("%s is wider than the board", p.Title)
		}
		for _, target := range p.Targets {
			expr := filledIn(target.Expr)
			for _, fault := range uses(t, expr, series) {
				t.Errorf("%s: %s", p.Title, fault)
			}
			for name := range series {
				if strings.Contains(expr, name) {
					shown[name] = true
				}
			}
		}
	}
	// Each metric of the server itself is on some panel.
	own := regexp.MustCompile(`^(http|predict|predictions|connections|fastlane|market|model|` +
		`reloads|panics|log|tickercast)_`)
	suffix := regexp.MustCompile(`_(bucket|sum|count)$`)
	for name := range series {
		base := suffix.ReplaceAllString(name, "")
		if own.MatchString(name) && !shown[name] && !shown[base+"_bucket"] {
			t.Errorf("no panel shows %s", name)
		}
	}
}

// TestDashboardHasNumbers evaluates all queries on the series of a server. Of an idle one, whose
// counters stand still, none is NaN or infinite. Of a busy one each has a value.
func TestDashboardHasNumbers(t *testing.T) {
	text := scrape(t)
	for _, tt := range []struct {
		name string
		busy bool
	}{{"idle", false}, {"busy", true}} {
		t.Run(tt.name, func(t *testing.T) {
			storage := promqltest.LoadedStorage(t, history(text, tt.busy))
			defer storage.Close()
			engine := promqltest.NewTestEngine(t, false, 0, 1e6)
			for _, p := range readPanels(t) {
				for _, target := range p.Targets {
					query, err := engine.NewInstantQuery(t.Context(), storage, nil,
						filledIn(target.Expr), time.Unix(30*60, 0))
					if err != nil {
						t.Fatalf("%s: %v", p.Title, err)
					}
					vector, err := query.Exec(t.Context()).Vector()
					if err != nil {
						t.Fatalf("%s: %v", p.Title, err)
					}
					if tt.busy && len(vector) == 0 {
						t.Errorf("%s: nothing of %s", p.Title, target.Expr)
					}
					for _, sample := range vector {
						checkSample(t, p.Title, target.Expr, sample)
					}
					query.Close()
				}
			}
		})
	}
}

func checkSample(t *testing.T, title, expr string, sample promql.Sample) {
	t.Helper()
	if math.IsNaN(sample.F) || math.IsInf(sample.F, 0) {
		t.Errorf("%s: %s is %v of %s", title, sample.Metric, sample.F, expr)
	}
}

// history repeats each line of a scrape for an hour, once a minute. If busy, all grow.
func history(text string, busy bool) string {
	var b strings.Builder
	b.WriteString("load 1m\n  up{job=\"tickercast\", instance=\"a\"} 1x60\n")
	for line := range strings.Lines(text) {
		at := strings.LastIndexByte(line, ' ')
		if strings.HasPrefix(line, "#") || at < 0 {
			continue
		}
		name, labels, _ := strings.Cut(strings.TrimSuffix(line[:at], "}"), "{")
		if labels != "" {
			labels = ", " + labels
		}
		step := 0
		if busy {
			step = 60
		}
		value := strings.TrimSpace(line[at+1:])
		if busy && value == "NaN" { // what a server knows only after some work
			value = "1"
		}
		fmt.Fprintf(&b, "  %s{job=\"tickercast\", instance=\"a\"%s} %s+%dx60\n", name, labels,
			value, step)
	}
	return b.String()
}
