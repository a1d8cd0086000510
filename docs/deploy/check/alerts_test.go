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

// replicas stands for the job, namespace and instance of two replicas, @a and @b.
var replicas = strings.NewReplacer(
	"@a", `job="tickercast-admin", namespace="n", instance="a"`,
	"@b", `job="tickercast-admin", namespace="n", instance="b"`)

// healthy is what Prometheus sees of two healthy replicas, one sample a minute. "a+bxn" means a,
// a+b and so on to a+n*b.
const healthy = `
up{@a} 1x1500
up{@b} 1x1500
http_requests_total{@a, code="200"} 0+6000x1500
http_requests_total{@a, code="422"} 0+600x1500
http_requests_total{@a, code="503"} 0+1x1500
http_requests_total{job="other", namespace="n", instance="c", code="500"} 0+6000x1500
http_request_duration_seconds_bucket{@a, method="POST", route="/predict", le="0.001"} 0+6000x1500
http_request_duration_seconds_bucket{@a, method="POST", route="/predict", le="0.25"} 0+6000x1500
http_request_duration_seconds_bucket{@a, method="POST", route="/predict", le="+Inf"} 0+6000x1500
http_requests_rejected_total{@a, reason="overload"} 0x1500
http_requests_rejected_total{@a, reason="rate"} 0+60x1500
panics_total{@a} 0x1500
tickercast_last_reload_successful{@a, resource="prices"} 1x1500
tickercast_last_reload_successful{@a, resource="keys"} 1x1500
tickercast_price_warnings{@a, kind="jumps"} 3x1500
tickercast_price_warnings{@a, kind="vanished"} 5x1000 0x500
market_age_sessions{@a} 1x1500
tickercast_coverage_beyond_chance{@a, closes="few"} 0.9x1500
tickercast_coverage_beyond_chance{@a, closes="many"} -2x1500
model_info{@a, version="2022.12-1a2b3c4d", as_of="2026-02-18"} 1x1500
model_info{@b, version="2022.12-1a2b3c4d", as_of="2026-02-18"} 1x1500
connections_rejected_total{@a} 5x1500
process_open_fds{@a} 100x1500
process_max_fds{@a} 1000x1500
process_resident_memory_bytes{@a} 100e6x1500
go_gc_gomemlimit_bytes{@a} 480e6x1500
tls_certificate_expiry_timestamp_seconds{@a} 2592000x1500
`

// wrong has series that each alert must fire on. They replace the healthy series of their names.
var wrong = map[string]string{
	"TickercastGone": `up{@a} 0x1500`,
	"TickercastDown": `up{@a} 0x1500
up{@b} 1x1500`,
	"TickercastErrors": `http_requests_total{@a, code="200"} 0+6000x1500
http_requests_total{@a, code="500"} 0+100x1500`,
	"TickercastSlow": `
http_request_duration_seconds_bucket{@a, method="POST", route="/predict", le="0.001"} 0+5000x1500
http_request_duration_seconds_bucket{@a, method="POST", route="/predict", le="0.25"} 0+6000x1500
http_request_duration_seconds_bucket{@a, method="POST", route="/predict", le="+Inf"} 0+6000x1500`,
	"TickercastOverload":      `http_requests_rejected_total{@a, reason="overload"} 0+60x1500`,
	"TickercastPanic":         `panics_total{@a} 0x1465 1x30`,
	"TickercastReloadRefused": `tickercast_last_reload_successful{@a, resource="keys"} 0x1500`,
	"TickercastPricesDoubtful": `tickercast_price_warnings{@a, kind="jumps"} 3x1400 4x100
tickercast_price_warnings{@b, kind="jumps"} 3x1500`,
	"TickercastCoverageOff": `tickercast_coverage_beyond_chance{@a, closes="few"} 0.9x1500
tickercast_coverage_beyond_chance{@a, closes="many"} 1.1x1500`,
	"TickercastPricesOld": `market_age_sessions{@a} 3x1500`,
	"TickercastReplicasDiffer": `model_info{@a, version="2022.12-1a2b3c4d", as_of="2026-02-18"} 1x1500
model_info{@b, version="2022.12-1a2b3c4d", as_of="2026-02-17"} 1x1500`,
	"TickercastConnectionsRejected": `connections_rejected_total{@a} 0+1x1500`,
	"TickercastDescriptors":         `process_open_fds{@a} 950x1500`,
	"TickercastMemory":              `process_resident_memory_bytes{@a} 470e6x1500`,
	"TickercastCertificate":         `tls_certificate_expiry_timestamp_seconds{@a} 86400x1500`,
}

// TestAlertsFire lets Prometheus evaluate the alerts 24.5 hours after the epoch. None fires on
// healthy series, and on those of one fault only its alert does.
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
		}
		if got := firing(t, exprs, replace(healthy, series)); !slices.Equal(got, want) {
			t.Errorf("%s: got %v firing, want %v", name, got, want)
		}
	}
}

// replace puts series in the place of those with the same names.
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
	return b.String() + strings.TrimSpace(series) + "\n"
}

func firing(t *testing.T, exprs map[string]string, series string) (names []string) {
	t.Helper()
	series = replicas.Replace(strings.TrimSpace(series))
	storage := promqltest.LoadedStorage(t,
		"load 1m\n  "+strings.ReplaceAll(series, "\n", "\n  ")+"\n")
	defer storage.Close()
	engine := promqltest.NewTestEngine(t, false, 0, 1e6)
	for _, name := range slices.Sorted(maps.Keys(exprs)) {
		query, err := engine.NewInstantQuery(t.Context(), storage, nil, exprs[name],
			time.Unix((24*60+30)*60, 0))
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
