package check

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"
)

// exposed lists the series of a running server, and the labels of each.
func exposed(t *testing.T) map[string]map[string]bool {
	t.Helper()
	s := newServer(t)
	// Some series appear only after a refusal or with a certificate.
	cert, key := certificate(t)
	s.start(t, "-rate-limit", "1/h", "-tls-cert", cert, "-tls-key", key)
	for range 2 {
		s.getTLS(t, "/model")
	}
	_, text := s.get(t, s.admin, "/metrics")
	// Prometheus adds up itself.
	series := map[string]map[string]bool{"up": {"job": true, "instance": true}}
	label := regexp.MustCompile(`([a-zA-Z_]+)="`)
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(line, "{")
		name, _, _ = strings.Cut(name, " ")
		if strings.HasPrefix(name, "#") {
			continue
		}
		if series[name] == nil {
			// The scrape adds these.
			series[name] = map[string]bool{model.MetricNameLabel: true, "job": true, "instance": true,
				"namespace": true}
		}
		for _, m := range label.FindAllStringSubmatch(rest, -1) {
			series[name][m[1]] = true
		}
	}
	return series
}

// uses parses an expression and returns the metrics and labels in it that no server has.
func uses(t *testing.T, expr string, series map[string]map[string]bool) (faults []string) {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		return []string{err.Error()}
	}
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if v, ok := node.(*parser.VectorSelector); ok {
			known, ok := series[v.Name]
			if !ok {
				faults = append(faults, "no metric "+v.Name)
				return nil
			}
			for _, m := range v.LabelMatchers {
				if !known[m.Name] && m.Name != model.MetricNameLabel {
					faults = append(faults, v.Name+" has no label "+m.Name)
				}
			}
		}
		return nil
	})
	return faults
}

func TestAlerts(t *testing.T) {
	series := exposed(t)
	rule := object[monitoring.PrometheusRule](t, render(t, "overlays/production"),
		"PrometheusRule/tickercast")
	text, err := yaml.Marshal(rule.Spec)
	if err != nil {
		t.Fatal(err)
	}
	groups, errs := rulefmt.Parse(text, false, model.UTF8Validation,
		parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	for _, err := range errs {
		t.Error(err)
	}
	n := 0
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			n++
			for _, fault := range uses(t, r.Expr, series) {
				t.Errorf("%s: %s", r.Alert, fault)
			}
			if !slices.Contains([]string{"critical", "warning"}, r.Labels["severity"]) ||
				r.Annotations["summary"] == "" {
				t.Errorf("%s: want a severity of critical or warning, and a summary", r.Alert)
			}
		}
	}
	if n < 10 {
		t.Errorf("only %d alerts were found", n)
	}
}

func TestDashboard(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "grafana", "tickercast.json"))
	if err != nil {
		t.Fatal(err)
	}
	type grid struct{ X, Y, W, H int }
	var board struct {
		UID    string
		Panels []struct {
			ID      int
			Type    string
			Title   string
			GridPos grid
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name, Definition string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	series := exposed(t)
	ids, shown := map[int]bool{}, map[string]bool{}
	for i, p := range board.Panels {
		if ids[p.ID] || p.ID == 0 {
			t.Errorf("%s: the id %d is taken or none", p.Title, p.ID)
		}
		ids[p.ID] = true
		if len(p.Targets) == 0 && p.Type != "row" {
			t.Errorf("%s: shows nothing", p.Title)
		}
		for _, other := range board.Panels[:i] {
			a, b := p.GridPos, other.GridPos
			if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
				t.Errorf("%s lies on %s", p.Title, other.Title)
			}
		}
		if p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("%s is wider than the board", p.Title)
		}
		for _, target := range p.Targets {
			// Grafana fills in its variables before Prometheus sees the query.
			expr := strings.NewReplacer("$__rate_interval", "5m", "$job", ".*", "$instance",
				".*").Replace(target.Expr)
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
		`reloads|panics|log)_`)
	suffix := regexp.MustCompile(`_(bucket|sum|count)$`)
	for name := range series {
		base := suffix.ReplaceAllString(name, "")
		if own.MatchString(name) && !shown[name] && !shown[base+"_bucket"] {
			t.Errorf("no panel shows %s", name)
		}
	}
}

func TestUsesFindsFaults(t *testing.T) {
	series := map[string]map[string]bool{"a_total": {"job": true}}
	for expr, want := range map[string]string{
		`rate(a_total{job="x"}[5m])`: "",
		`rate(b_total[5m])`:          "no metric b_total",
		`a_total{code="5"} > 1`:      "a_total has no label code",
		`rate(a_total)`:              "expected type range vector",
	} {
		if got := strings.Join(uses(t, expr, series), "; "); (want == "") != (got == "") ||
			!strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", expr, got, want)
		}
	}
}
