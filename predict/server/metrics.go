package server

import (
	"log/slog"
	"net/http"
	"time"

	"tickercast/model/market"
	"tickercast/predict/fastlane"
	"tickercast/predict/internal/metrics"
)

const (
	rejectedName = "http_requests_rejected_total"
	rejectedHelp = "Requests refused for who asked (key), how often (rate), how much there was " +
		"to do (overload), or how much clients made the server hold (memory)."
)

func because(reason string) metrics.Label { return metrics.Label{Name: "reason", Value: reason} }

func countRejected(reg *metrics.Registry, reason string) *metrics.Counter {
	return reg.Counter(rejectedName, rejectedHelp, because(reason))
}

// registerMetrics adds the metrics that are computed when they are read.
func (s *Server) registerMetrics() {
	reg := s.registry
	metrics.AddBuild(reg, Version())
	metrics.AddGo(reg)
	metrics.AddProcess(reg)
	counter := func(name, help string, value func() uint64, labels ...metrics.Label) {
		reg.CounterFunc(name, help, func() float64 { return float64(value()) }, labels...)
	}
	cache := s.service.CacheStats
	counter("predict_cache_misses_total", "Answers that had to be computed.",
		func() uint64 { return cache().Loads })
	counter("predict_cache_coalesced_total", "Look-ups that waited for another's computation.",
		func() uint64 { return cache().Joins })
	counter("predict_cache_evictions_total", "Answers removed to make room.",
		func() uint64 { return cache().Evictions })
	counter("predict_cache_expired_total", "Answers removed because of their age.",
		func() uint64 { return cache().Expirations })
	counter(rejectedName, rejectedHelp, s.batches.Refused, because("overload"))
	counter(rejectedName, rejectedHelp, s.limiter.Refused, because("memory"))
	counter("client_memory_stopped_total", "Requests and connections ended because they held memory "+
		"without progress while others were refused for want of it.", s.limiter.Stopped)
	reg.GaugeFunc("client_memory_bytes", "Bytes that clients make the server hold, as counted.",
		func() float64 { return float64(s.limiter.Used()) })
	reg.GaugeFunc("client_memory_limit_bytes", "The most that these may be.",
		func() float64 { return float64(s.limiter.Total()) })
	reg.GaugeFunc("predict_cache_entries", "Answers kept.",
		func() float64 { return float64(cache().Entries) })
	reg.GaugeFunc("predict_cache_bytes", "Bytes of answers kept.",
		func() float64 { return float64(cache().Bytes) })
	if s.cfg.TLSCert != "" {
		reg.GaugeFunc("tls_certificate_expiry_timestamp_seconds",
			"When the certificate that is shown expires.",
			func() float64 { return float64(s.creds.cert.expires().Unix()) })
	}
	s.registerCalibration()
	for _, kind := range market.WarningKinds() {
		reg.GaugeFunc("tickercast_price_warnings",
			"What is doubtful about the prices that are served: how many times, by kind.",
			func() float64 { return float64(s.warningsOf(kind)) },
			metrics.Label{Name: "kind", Value: kind})
	}
	reg.GaugeFunc("market_age_sessions",
		"Trading days that have ended since the last close that is served.",
		func() float64 {
			_, mk := s.service.Current()
			if mk == nil {
				return 0
			}
			return float64(mk.Age(time.Now()))
		})
	reg.InfoFunc("model_info", "The model that is served, and the last close.",
		func() []metrics.Label {
			m, mk := s.service.Current()
			if m == nil {
				return nil
			}
			return []metrics.Label{{Name: "version", Value: m.Version()},
				{Name: "as_of", Value: mk.AsOf().String()}}
		})
	for name, h := range map[string]slog.Handler{"server": s.logger.Handler(),
		"access": s.cfg.AccessLog} {
		if h, ok := h.(interface{ Dropped() uint64 }); ok {
			counter("log_records_dropped_total",
				"Lines of a log that were not written, because they were not taken in time.",
				h.Dropped, metrics.Label{Name: "log", Value: name})
		}
	}
}

// registerLane adds the metrics of connections.
func registerLane(reg *metrics.Registry, lane *fastlane.Lane) {
	stats := lane.Stats
	reg.GaugeFunc("connections_open", "Connections that are open.",
		func() float64 { return float64(stats().Open) })
	for _, c := range []struct {
		name, help string
		value      func() int64
	}{
		{"connections_accepted_total", "Connections accepted.",
			func() int64 { return stats().Accepted }},
		{"connections_rejected_total",
			"Connections closed at once because too many were open and none was idle.",
			func() int64 { return stats().Rejected }},
		{"connections_evicted_total",
			"Connections closed to make room for a new one, as those that were idle longest.",
			func() int64 { return stats().Evicted }},
		{"connections_timed_out_total",
			"Connections closed because a request came too slowly.",
			func() int64 { return stats().TimedOut }},
		{"fastlane_handed_over_total", "Connections that left the fast lane for net/http.",
			func() int64 { return stats().HandedOver }},
	} {
		reg.CounterFunc(c.name, c.help, func() float64 { return float64(c.value()) })
	}
}

func (s *Server) serveMetrics(w http.ResponseWriter, r *http.Request) {
	s.service.Send(w, r, metrics.ContentType, s.registry.AppendText(nil))
}
