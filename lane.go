package main

import (
	"cmp"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"

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
		cfg.Answer = s.observed(s.answerer())
		cfg.RequestID, cfg.ValidID, cfg.ValidTrace = accesslog.AppendID, accesslog.ValidID[[]byte],
			accesslog.ValidTrace[[]byte]
		cfg.Header = http.Header{"Content-Type": {"application/json"}}
		if s.cors != nil {
			maps.Copy(cfg.Header, s.cors.Header())
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
func (s *serving) answerer() func(*fastlane.Request) (fastlane.Response, string, bool) {
	guarded := !s.guard.open()
	return func(r *fastlane.Request) (resp fastlane.Response, client string, ok bool) {
		p, ok := s.service.Plain(r.Body)
		if !ok {
			return resp, "", false
		}
		var v verdict
		if guarded {
			v = s.guard.judge(apikey.Presented(r.Authorization(), r.APIKey()), s.guard.laneAddr(r))
			if v.refusal != nil {
				return written(r, s.refusing(v)), v.client, true
			}
		}
		body, err := s.service.AnswerPlain(p)
		if err != nil {
			return written(r, s.failing(v, err)), v.client, true
		}
		resp.Body = body
		if s.guard.limiter != nil {
			resp.Header = http.Header{}
			s.guard.tell(resp.Header, v)
		}
		return resp, v.client, true
	}
}

// observed counts and logs what answer answers.
func (s *serving) observed(answer func(*fastlane.Request) (fastlane.Response, string, bool)) func(
	*fastlane.Request) (fastlane.Response, bool) {
	meter := s.instruments.byRoute["POST /predict"] // the same series as net/http's
	return func(r *fastlane.Request) (fastlane.Response, bool) {
		resp, client, ok := answer(r)
		if !ok {
			return resp, false
		}
		status, took := cmp.Or(resp.Status, http.StatusOK), r.Elapsed()
		meter.observe(status, took)
		if s.access.Wants(status) {
			s.access.Write(&accesslog.Entry{
				ID: string(r.ID()), Trace: string(r.Trace()), Client: client,
				Remote: r.Remote().String(), Method: "POST", Path: "/predict", Proto: "HTTP/1.1",
				Status: status, Duration: took, Bytes: int64(len(resp.Body)),
			})
		}
		return resp, true
	}
}

// written is what write writes.
func written(r *fastlane.Request, write func(http.ResponseWriter)) fastlane.Response {
	w := httptest.NewRecorder()
	w.Header()[requestID] = []string{string(r.ID())}
	write(w)
	return fastlane.Response{Status: w.Code, Header: w.Header(), Body: w.Body.Bytes()}
}

// refusing answers a request that the guard refuses.
func (s *serving) refusing(v verdict) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { s.guard.refuse(w, v) }
}

// failing answers a request that the service did not, with an error that may be our fault.
func (s *serving) failing(v verdict, err error) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		s.guard.tell(w.Header(), v)
		r := &http.Request{Method: "POST", Pattern: "POST /predict",
			Header: http.Header{requestID: w.Header()[requestID]}}
		s.service.RefusePlain(w, r, err)
	}
}

// laneAddr is clientAddr in the lane.
func (g *guard) laneAddr(r *fastlane.Request) (a netip.Addr) {
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
