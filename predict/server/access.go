package server

import (
	"log/slog"
	"net/netip"

	"tickercast/predict"
)

// logs reports whether answers of a route may be in the access log. Probes come every few seconds
// and say nothing, unless someone looks for them.
func (s *Server) logs(route *routeMetrics) bool {
	return s.access != nil && (s.cfg.AccessProbes || !route.probe)
}

// addrText is empty for a client without an address, as over a unix socket.
func addrText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// recordAttrs are what a line has of a forecast.
func recordAttrs(r *predict.Record) []slog.Attr {
	attrs := make([]slog.Attr, 0, 8)
	if r.Ticker != "" {
		attrs = append(attrs, slog.String("ticker", r.Ticker), slog.Int("days_ahead", r.Days),
			slog.Float64("confidence_interval", r.Confidence))
	}
	if r.Levels != nil {
		attrs = append(attrs, slog.Any("levels", r.Levels))
	}
	attrs = append(attrs, slog.String("as_of", r.AsOf.String()),
		slog.String("model_version", r.Model))
	if r.Prices != "" {
		attrs = append(attrs, slog.String("prices", r.Prices))
	}
	if r.Cache != "" {
		attrs = append(attrs, slog.String("cache", r.Cache))
	}
	return attrs
}
