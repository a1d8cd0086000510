package main

import (
	"maps"
	"net"
	"net/http"
	"net/netip"

	"tickercast/predict"
	"tickercast/predict/accesslog"
	"tickercast/predict/apikey"
	"tickercast/predict/fastlane"
)

// lane puts the fast lane between a listener and the server of everything else. Switched off it
// hands over every connection.
func (s *serving) lane(ln net.Listener, public *http.Server, on bool, maxConns int) *fastlane.Lane {
	cfg := fastlane.Config{
		Listener: ln,
		Server:   public,
		MaxConns: maxConns,
		Draining: s.draining.Load,
		Fault:    func(err error) { s.logger.Error("fast lane", "error", err.Error()) },
	}
	if on {
		cfg.Answer = s.answerer()
		cfg.RequestID, cfg.ValidID, cfg.ValidTrace = accesslog.AppendID, accesslog.ValidID[[]byte],
			accesslog.ValidTrace[[]byte]
		cfg.Header = http.Header{"Content-Type": {"application/json"}}
		if s.cors != nil {
			maps.Copy(cfg.Header, s.cors.Header())
		}
		if s.guard.limiter != nil {
			cfg.Header[rateLimitPolicy], cfg.Field = s.guard.policy, rateLimit
		}
		meter := s.instruments.byRoute["POST /predict"] // the same series as net/http's
		cfg.Observe = func(e fastlane.Exchange) {
			meter.observe(e.Status, e.Duration)
			if s.access.Wants(e.Status) {
				s.access.Write(&accesslog.Entry{
					ID: string(e.ID), Trace: string(e.Trace), Client: e.Client,
					Remote: e.Remote.String(), Method: "POST", Path: "/predict",
					Proto:  "HTTP/1.1",
					Status: e.Status, Duration: e.Duration, Bytes: int64(e.Body),
				})
			}
		}
	}
	l := fastlane.New(cfg)
	s.registerLane(l)
	return l
}

// answerer is what the lane asks about a request. What the handler would do it does in another
// order, looking first whether the request is one for the lane: a request that is handed over has
// been neither counted nor taken from a rate, so net/http does that. All others end here, those
// included that are refused or that we fail to answer.
func (s *serving) answerer() func(fastlane.Request) (fastlane.Answer, bool) {
	guarded := !s.guard.open()
	return func(r fastlane.Request) (a fastlane.Answer, ok bool) {
		req, ok := s.service.DecodeFast(r.Body)
		if !ok {
			return a, false
		}
		var v verdict
		if guarded {
			v = s.guard.judge(apikey.Presented(r.Authorization(), r.APIKey()), s.guard.laneAddr(r))
			if a.Client = v.client; v.refusal != nil {
				a.Refuse = s.refusing(v)
				return a, true
			}
			if s.guard.limiter != nil {
				a.Field = v.limit.AppendFields(r.Room())
			}
		}
		body, err := s.service.AnswerFast(req)
		if err != nil {
			a.Refuse = s.failing(v, err)
			return a, true
		}
		a.Body = body
		return a, true
	}
}

// refusing answers a request that the guard refuses.
func (s *serving) refusing(v verdict) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { s.guard.refuse(w, v) }
}

// failing answers a request that the service did not, with an error that may be our fault.
func (s *serving) failing(v verdict, err error) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		s.guard.tell(w.Header(), v)
		predict.WriteError(w, s.service.PublicError(predict.Failure{ID: w.Header().Get(requestID),
			Method: "POST", Pattern: "POST /predict", Err: err}))
	}
}

// laneAddr is clientAddr in the lane.
func (g *guard) laneAddr(r fastlane.Request) (a netip.Addr) {
	if tcp, ok := r.Remote().(*net.TCPAddr); ok {
		a = tcp.AddrPort().Addr()
	}
	if g.proxies == nil {
		return a
	}
	return g.proxies.Client(a, string(r.ForwardedFor()))
}

func (s *serving) registerLane(l *fastlane.Lane) {
	stats := l.Stats
	s.registry.GaugeFunc("connections_open", "Connections that are open.",
		func() float64 { return float64(stats().Open) })
	s.registry.CounterFunc("connections_accepted_total", "Connections accepted.",
		func() float64 { return float64(stats().Accepted) })
	s.registry.CounterFunc("connections_rejected_total",
		"Connections closed at once because too many were open.",
		func() float64 { return float64(stats().Rejected) })
	s.registry.CounterFunc("connections_timed_out_total",
		"Connections closed because a request came too slowly.",
		func() float64 { return float64(stats().TimedOut) })
	s.registry.CounterFunc("fastlane_handed_over_total",
		"Connections that left the fast lane for net/http.",
		func() float64 { return float64(stats().HandedOver) })
}
