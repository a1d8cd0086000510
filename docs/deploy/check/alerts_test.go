package check

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
)

// healthy is what Prometheus sees of two replicas with nothing wrong, one sample a minute: "a+bxn"
// is a, a+b, ... n times.
const healthy = `
up{job="tickercast-admin", namespace="n", instance="a"} 1x60
up{job="tickercast-admin", namespace="n", instance="b"} 1x60
http_requests_total{job="tickercast-admin", namespace="n", instance="a", code="200"} 0+6000x60
http_requests_total{job="tickercast-admin", namespace="n", instance="a", code="422"} 0+600x60
http_requests_total{job="tickercast-admin", namespace="n", instance="a", code="503"} 0+1x60
http_requests_total{job="other", namespace="n", instance="c", code="500"} 0+6000x60
http_request_duration_seconds_bucket{job="tickercast-admin", namespace="n", instance="a", method="POST", route="/predict", le="0.001"} 0+6000x60
http_request_duration_seconds_bucket{job="tickercast-admin", namespace="n", instance="a", method="POST", route="/predict", le="0.25"} 0+6000x60
http_request_duration_seconds_bucket{job="tickercast-admin", namespace="n", instance="a", method="POST", route="/predict", le="+Inf"} 0+6000x60
http_requests_rejected_total{job="tickercast-admin", namespace="n", instance="a", reason="overload"} 0x60
http_requests_rejected_total{job="tickercast-admin", namespace="n", instance="a", reason="rate"} 0+60x60
panics_total{job="tickercast-admin", namespace="n", instance="a"} 0x60
reloads_total{job="tickercast-admin", namespace="n", instance="a", result="ok"} 0+1x60
reloads_total{job="tickercast-admin", namespace="n", instance="a", result="refused"} 2x60
market_age_days{job="tickercast-admin", namespace="n", instance="a"} 1x60
model_info{job="tickercast-admin", namespace="n", instance="a", version="2022.12-1a2b3c4d", as_of="2026-02-18"} 1x60
model_info{job="tickercast-admin", namespace="n", instance="b", version="2022.12-1a2b3c4d", as_of="2026-02-18"} 1x60
connections_rejected_total{job="tickercast-admin", namespace="n", instance="a"} 5x60
process_open_fds{job="tickercast-admin", namespace="n", instance="a"} 100x60
process_max_fds{job="tickercast-admin", namespace="n", instance="a"} 1000x60
process_resident_memory_bytes{job="tickercast-admin", namespace="n", instance="a"} 100e6x60
go_gc_gomemlimit_bytes{job="tickercast-admin", namespace="n", instance="a"} 480e6x60
tls_certificate_expiry_timestamp_seconds{job="tickercast-admin", namespace="n", instance="a"} 2592000x60
`

// wrong says of each alert what it is for. The series of a name that stands here replace the
// healthy ones of that name.
var wrong = map[string]string{
	"TickercastGone":                `up{job="tickercast-admin", namespace="n", instance="a"} 0x60`,
	"TickercastDown":                `up{job="tickercast-admin", namespace="n", instance="a"} 0x60`,
	"TickercastErrors":              `http_requests_total{job="tickercast-admin", namespace="n", instance="a", code="200"} 0+6000x60` + "\n" + `http_requests_total{job="tickercast-admin", namespace="n", instance="a", code="500"} 0+100x60`,
	"TickercastSlow":                `http_request_duration_seconds_bucket{job="tickercast-admin", namespace="n", instance="a", method="POST", route="/predict", le="0.001"} 0+5000x60` + "\n" + `http_request_duration_seconds_bucket{job="tickercast-admin", namespace="n", instance="a", method="POST", route="/predict", le="0.25"} 0+6000x60` + "\n" + `http_request_duration_seconds_bucket{job="tickercast-admin", namespace="n", instance="a", method="POST", route="/predict", le="+Inf"} 0+6000x60`,
	"TickercastOverload":            `http_requests_rejected_total{job="tickercast-admin", namespace="n", instance="a", reason="overload"} 0+60x60`,
	"TickercastPanic":               `panics_total{job="tickercast-admin", namespace="n", instance="a"} 0x25 1x30`,
	"TickercastReloadRefused":       `reloads_total{job="tickercast-admin", namespace="n", instance="a", result="refused"} 0x25 1x30`,
	"TickercastPricesOld":           `market_age_days{job="tickercast-admin", namespace="n", instance="a"} 3x60`,
	"TickercastReplicasDiffer":      `model_info{job="tickercast-admin", namespace="n", instance="a", version="2022.12-1a2b3c4d", as_of="2026-02-18"} 1x60` + "\n" + `model_info{job="tickercast-admin", namespace="n", instance="b", version="2022.12-1a2b3c4d", as_of="2026-02-17"} 1x60`,
	"TickercastConnectionsRejected": `connections_rejected_total{job="tickercast-admin", namespace="n", instance="a"} 0+1x60`,
	"TickercastDescriptors":         `process_open_fds{job="tickercast-admin", namespace="n", instance="a"} 950x60`,
	"TickercastMemory":              `process_resident_memory_bytes{job="tickercast-admin", namespace="n", instance="a"} 470e6x60`,
	"TickercastCertificate":         `tls_certificate_expiry_timestamp_seconds{job="tickercast-admin", namespace="n", instance="a"} 86400x60`,
}

// TestAlertsFire evaluates each alert by Prometheus itself half an hour after the epoch: it holds
// when what it is for has happened, and with everything else healthy it alone does.
func TestAlertsFire(t *testing.T) {
	exprs := map[string]string{}
	for _, g := range object[monitoring.PrometheusRule](t, render(t, "overlays/production"),
		"PrometheusRule/tickercast").Spec.Groups {
		for _, r := range g.Rules {
			exprs[r.Alert] = r.Expr.String()
		}
	}
	if got, want := slices.Sorted(maps.Keys(exprs)),
		slices.Sorted(maps.Keys(wrong)); !slices.Equal(got, want) {
		t.Fatalf("alerts: got %v, want %v", got, want)
	}
	if got := firing(t, exprs, healthy); len(got) > 0 {
		t.Errorf("healthy: %v fire", got)
	}
	for name, series := range wrong {
		want := []string{name}
		if name == "TickercastGone" {
			want = append([]string{"TickercastDown"}, want...)
		} else if name == "TickercastDown" {
			series += "\n" + `up{job="tickercast-admin", namespace="n", instance="b"} 1x60`
		}
		if got := firing(t, exprs, replace(healthy, series)); !slices.Equal(got, want) {
			t.Errorf("%s: got %v firing, want %v", name, got, want)
		}
	}
}

// replace puts series in place of those of the same names.
func replace(all, series string) string {
	names := map[string]bool{}
	for line := range strings.Lines(series) {
		name, _, _ := strings.Cut(line, "{")
		names[name] = true
	}
	var b strings.Builder
	for line := range strings.Lines(all) {
		if name, _, _ := strings.Cut(line, "{"); !names[name] {
			b.WriteString(line)
		}
	}
	return b.String() + series + "\n"
}

func firing(t *testing.T, exprs map[string]string, series string) (names []string) {
	t.Helper()
	storage := promqltest.LoadedStorage(t,
		"load 1m\n  "+strings.ReplaceAll(strings.TrimSpace(series), "\n", "\n  ")+"\n")
	defer storage.Close()
	engine := promqltest.NewTestEngine(t, false, 0, 1e6)
	for _, name := range slices.Sorted(maps.Keys(exprs)) {
		query, err := engine.NewInstantQuery(t.Context(), storage, nil, exprs[name],
			time.Unix(30*60, 0))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		result := query.Exec(t.Context())
		if result.Err != nil {
			t.Fatalf("%s: %v", name, result.Err)
		}
		if result.Value.Type() == parser.ValueTypeVector && result.String() != "" {
			names = append(names, name)
		}
		query.Close()
	}
	return names
}
