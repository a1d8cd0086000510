package server

import (
	"maps"
	"net"
	"net/http"
	"net/netip"

	"tickercast/predict"
	"tickercast/predict/fastlane"
	"tickercast/predict/internal/apikey"
	"tickercast/predict/internal/logging"
)

// laneConfig puts the fast lane between a listener and the server of everything else. Without
// FastLane the lane hands over every connection; under TLS it would have to be a TLS server itself.
func (s *Server) laneConfig(ln net.Listener) fastlane.Config {
	cfg := fastlane.Config{
		Listener:   ln,
		Shared:     isInherited(s.cfg.Addr),
		Server:     s.public,
		MaxConns:   s.plan.Conns,
		MaxAge:     s.cfg.MaxConnAge,
		MaxFields:  s.cfg.MaxHeaderFields,
		HandedOver: s.conns.evictable(),
		Draining:   s.draining.Load,
		Fault:      func(err error) { s.logger.Error("fast lane", "error", err.Error()) },
	}
	if !s.usesLane() {
		return cfg
	}
	cfg.Answer = s.answerFast
	cfg.RequestID = appendID
	cfg.ValidID, cfg.ValidTrace = validID[[]byte], validTrace[[]byte]
	cfg.Header = http.Header{"Content-Type": {"application/json"},
		"X-Content-Type-Options": nosniff}
	if s.cors != nil {
		maps.Copy(cfg.Header, s.cors.Header())
	}
	return cfg
}

// bounded is a listener for a server other than the public one, with a bound on its connections.
// Its lane answers nothing itself.
func (s *Server) bounded(ln net.Listener, h *http.Server, conns *connTracker,
	maxConns int) net.Listener {
	return conns.listener(fastlane.New(fastlane.Config{
		Listener:   ln,
		Server:     h,
		MaxConns:   maxConns,
		HandedOver: conns.evictable(),
		Fault: func(err error) {
			s.logger.Error("accepting", "addr", addrOf(ln), "error", err.Error())
		},
	}))
}

func (s *Server) usesLane() bool { return s.cfg.FastLane && s.cfg.TLSCert == "" }

// answerFast answers a request of the fast lane: it does what the middleware and the handler do on
// the other path. It decodes first, because a request that is handed over must be counted and taken
// from a rate by net/http only.
func (s *Server) answerFast(r *fastlane.Request) (resp fastlane.Response, ok bool) {
	req, ok := s.service.DecodeFast(r.Body)
	if !ok {
		return resp, false
	}
	var keyName string
	var hit bool
	var denied *predict.Error
	if s.auth != nil {
		key := apikey.Presented(r.Authorization(), r.APIKey())
		keyName, denied = s.auth.authorize(key, s.fastClientAddr(r))
	}
	if denied == nil {
		var err error
		if resp.Body, hit, err = s.service.AnswerFast(req); err != nil {
			denied = s.service.PublicError(predict.Failure{ID: string(r.ID()), Method: "POST",
				Pattern: "POST /predict", Err: err})
		}
	}
	status := http.StatusOK
	if denied != nil {
		status = denied.Status
		resp = fastlane.Response{Status: status, Header: denied.Header(),
			Body: denied.AppendJSON(nil)}
	}
	took := r.Elapsed()
	s.measure.fast.observe(status, took)
	if s.access != nil && s.access.Wants(status) {
		e := &logging.Entry{
			ID: string(r.ID()), Trace: string(r.Trace()), Key: keyName,
			Remote: r.Remote().String(), Method: "POST", Path: "/predict", Proto: "HTTP/1.1",
			Status: status, Duration: took, Bytes: int64(len(resp.Body)),
		}
		if s.cfg.TrustedProxies != nil {
			e.Client = addrText(s.fastClientAddr(r))
		}
		if denied == nil {
			made := req.Record(hit)
			e.Attrs = recordAttrs(&made)
		}
		s.access.Write(e)
	}
	return resp, true
}

func (s *Server) fastClientAddr(r *fastlane.Request) (addr netip.Addr) {
	if tcp, ok := r.Remote().(*net.TCPAddr); ok {
		addr = tcp.AddrPort().Addr()
	}
	if s.cfg.TrustedProxies == nil {
		return addr // saves making a string of the header
	}
	return s.cfg.TrustedProxies.Client(addr, string(r.ForwardedFor()))
}
