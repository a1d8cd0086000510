package main

import (
	"maps"
	"net"
	"net/http"

	"tickercast/predict/accesslog"
	"tickercast/predict/fastlane"
)

// lane puts the fast lane between a listener and the server of everything else.
// Switched off it hands over every connection.
func (s *serving) lane(ln net.Listener, public *http.Server, on bool, maxConns int) *fastlane.Lane {
	cfg := fastlane.Config{
		Listener: ln,
		Server:   public,
		MaxConns: maxConns,
		Draining: s.draining.Load,
		Fault:    func(err error) { s.logger.Error("fast lane", "error", err.Error()) },
	}
	if on {
		cfg.Answer = s.service.TryAnswer
		cfg.RequestID, cfg.ValidID, cfg.ValidTrace = accesslog.AppendID, accesslog.ValidID[[]byte], accesslog.ValidTrace[[]byte]
		cfg.Header = http.Header{"Content-Type": {"application/json"}}
		if s.cors != nil {
			maps.Copy(cfg.Header, s.cors.Header())
		}
		meter := s.instruments.byRoute["POST /predict"] // the same series as net/http's
		cfg.Observe = func(e fastlane.Exchange) {
			meter.observe(http.StatusOK, e.Duration)
			if s.access.Wants(http.StatusOK) {
				s.access.Write(&accesslog.Entry{
					ID: string(e.ID), Trace: string(e.Trace), Remote: e.Remote.String(), Method: "POST", Path: "/predict", Proto: "HTTP/1.1",
					Status: http.StatusOK, Duration: e.Duration, Bytes: int64(e.Body),
				})
			}
		}
	}
	l := fastlane.New(cfg)
	s.registerLane(l)
	return l
}

func (s *serving) registerLane(l *fastlane.Lane) {
	stats := l.Stats
	s.registry.GaugeFunc("connections_open", "Connections that are open.", func() float64 { return float64(stats().Open) })
	s.registry.CounterFunc("connections_accepted_total", "Connections accepted.", func() float64 { return float64(stats().Accepted) })
	s.registry.CounterFunc("connections_rejected_total", "Connections closed at once because too many were open.", func() float64 { return float64(stats().Rejected) })
	s.registry.CounterFunc("connections_timed_out_total", "Connections closed because a request came too slowly.", func() float64 { return float64(stats().TimedOut) })
	s.registry.CounterFunc("fastlane_handed_over_total", "Connections that left the fast lane for net/http.", func() float64 { return float64(stats().HandedOver) })
}
