package check

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"
)

// scrape returns the metrics of a running server that has refused a request and has a certificate,
// since some series appear only then.
func scrape(t *testing.T) string {
	t.Helper()
	s := newServer(t)
	cert, key := certificate(t)
	const apiKey = "a-key"
	keys := filepath.Join(t.TempDir(), "keys")
	line := fmt.Sprintf("%x dashboard\n", sha256.Sum256([]byte(apiKey)))
	if err := os.WriteFile(keys, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start(t, "-rate-limit", "1/h", "-tls-cert", cert, "-tls-key", key, "-api-keys", keys)
	for range 2 {
		s.getTLS(t, "/model", apiKey)
	}
	_, text := s.get(t, s.admin, "/metrics")
	return text
}

// exposed lists the series of a server's metrics, and the labels of each.
func exposed(text string) map[string]map[string]bool {
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
		if a, ok := node.(*parser.AggregateExpr); ok && !a.Without {
			selectors := parser.ExtractSelectors(a.Expr)
			for _, label := range a.Grouping {
				if !slices.ContainsFunc(selectors, func(s []*labels.Matcher) bool {
					return series[nameOf(s)][label]
				}) {
					faults = append(faults, "nothing in "+a.String()+" has a label "+label)
				}
			}
		}
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

func nameOf(selector []*labels.Matcher) string {
	for _, m := range selector {
		if m.Name == model.MetricNameLabel {
			return m.Value
		}
	}
	return ""
}

func TestAlerts(t *testing.T) {
	series := exposed(scrape(t))
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

// TestMetricsFollowConventions is what promtool check metrics does.
func TestMetricsFollowConventions(t *testing.T) {
	problems, err := promlint.New(strings.NewReader(scrape(t))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestUsesFindsFaults(t *testing.T) {
	series := map[string]map[string]bool{"a_total": {"job": true}}
	for expr, want := range map[string]string{
		`rate(a_total{job="x"}[5m])`: "",
		`rate(b_total[5m])`:          "no metric b_total",
		`a_total{code="5"} > 1`:      "a_total has no label code",
		`sum by (job) (a_total)`:     "",
		`sum by (code) (a_total)`:    "has a label code",
		`rate(a_total)`:              "expected type range vector",
	} {
		if got := strings.Join(uses(t, expr, series), "; "); (want == "") != (got == "") ||
			!strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", expr, got, want)
		}
	}
}
