package server

import (
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"tickercast/predict"
	"tickercast/predict/fastlane"
	"tickercast/predict/internal/apikey"
	"tickercast/predict/internal/logging"
)

// laneConfig puts the fast lane between a listener and the server of everything else. Without
// FastLane the lane makes TLS handshakes and hands over every connection.
func (s *Server) laneConfig(ln net.Listener) fastlane.Config {
	cfg := fastlane.Config{
		Listener:   ln,
		Shared:     isInherited(s.cfg.Addr),
		Server:     s.public,
		TLS:        s.public.TLSConfig,
		MaxConns:   s.plan.Conns,
		MaxAge:     s.cfg.MaxConnAge,
		MaxFields:  s.cfg.MaxHeaderFields,
		HandedOver: s.conns.evictable(),
		Draining:   s.draining.Load,
		Fault:      func(err error) { s.logger.Error("fast lane", "error", err.Error()) },
	}
	if !s.cfg.FastLane {
		return cfg
	}
	cfg.RequestID = appendID
	cfg.ValidID, cfg.ValidTrace = validID[[]byte], validTrace[[]byte]
	cfg.AnyOrigin = s.cors == nil
	cfg.NewScratch = func() any { return new(predict.Plain) }
	cfg.Header = http.Header{"Content-Type": {"application/json"},
		"X-Content-Type-Options": nosniff}
	if s.cors != nil {
		maps.Copy(cfg.Header, s.cors.Header())
	}
	for _, r := range s.routes() {
		if r.plain.Answer == nil {
			continue
		}
		names := r.plain.Names
		if names == nil {
			names = []string{""}
		}
		for _, name := range names {
			lane := s.laneRoute(r, cfg.Header["Vary"])
			lane.name = name
			plain := fastlane.Route{Method: r.method, Header: lane.header(nil, true),
				Path: strings.Replace(r.path, "{name}", name, 1),
				Answer: func(req *fastlane.Request) (fastlane.Response, bool) {
					return s.answerFast(lane, req)
				}}
			if r.plain.Cacheable {
				plain.Fields = []string{"Age", "Cache-Control", "Cache-Status", "Etag"}
			}
			cfg.Routes = append(cfg.Routes, plain)
			if root := s.cfg.RootPath; root != "" {
				plain.Path = root + plain.Path
				cfg.Routes = append(cfg.Routes, plain)
			}
		}
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

type laneRoute struct {
	route
	metrics *routeMetrics
	name    string   // in the path, if the route has one
	vary    []string // of its answers, in the order in which the other path adds them
	refusal int      // how many of vary those have that refuse a client
}

// laneRoute has the values of Vary from which every answer of the server begins.
func (s *Server) laneRoute(r route, vary []string) *laneRoute {
	l := &laneRoute{route: r, metrics: s.measure.of(r.pattern()), vary: slices.Clone(vary)}
	if s.variesByKey(r) {
		l.vary = append(l.vary, keyVary)
	}
	if l.refusal = len(l.vary); r.plain.Vary != "" {
		l.vary = append(l.vary, r.plain.Vary)
	}
	return l
}

// header adds Vary to the header of an answer to a client that may ask or not.
func (l *laneRoute) header(h http.Header, admitted bool) http.Header {
	vary := l.vary
	if !admitted {
		vary = vary[:l.refusal]
	}
	if len(vary) == 0 {
		return h
	}
	if h == nil {
		h = http.Header{}
	}
	h["Vary"] = vary
	return h
}

// answerFast answers a request of the fast lane: it does what the middleware and the handler do on
// the other path. It decodes first, because a request that is handed over must be counted and taken
// from a rate by net/http only.
func (s *Server) answerFast(route *laneRoute,
	r *fastlane.Request) (resp fastlane.Response, ok bool) {
	p := r.Scratch.(*predict.Plain)
	p.Name, p.Ticker, p.Query, p.Body = route.name, r.Segment(), r.Query(), r.Body
	p.Accept, p.IfNoneMatch = r.Accept(), r.IfNoneMatch()
	if !route.plain.Decode(p) {
		return resp, false
	}
	var keyName string
	var denied *predict.Error
	admitted := true
	if s.auth != nil && !route.open {
		key := apikey.Presented(r.Authorization(), r.APIKey())
		keyName, denied = s.auth.authorize(key, s.fastClientAddr(r))
		if admitted = denied == nil; admitted && p.Items() > 1 {
			denied = s.auth.charge(clientOf(keyName, s.fastClientAddr(r)), p.Items())
		}
	}
	resp.Status = http.StatusOK
	if denied == nil {
		if err := route.plain.Answer(p); err != nil {
			denied = s.service.PublicError(predict.Failure{ID: string(r.ID()),
				Method: route.method, Pattern: route.pattern(), Err: err})
		}
	}
	switch {
	case denied != nil:
		resp = fastlane.Response{Status: denied.Status,
			Header: route.header(denied.Header(), admitted), Body: denied.Body(route.path)}
	case route.plain.Cacheable:
		resp.Fields = [...][]byte{p.Age, p.CacheControl, p.CacheStatus, p.ETag}
		if resp.Body = p.Answer; p.NotModified {
			resp.Status = http.StatusNotModified
		}
	default:
		resp.Body = p.Answer
	}
	took := r.Elapsed()
	route.metrics.observe(resp.Status, took)
	if s.logs(route.metrics) && s.access.Wants(resp.Status) {
		e := &logging.Entry{
			ID: string(r.ID()), Trace: string(r.Trace()), Key: keyName,
			Remote: r.Remote().String(), Method: route.method, Path: r.Path(), Proto: "HTTP/1.1",
			Status: resp.Status, Duration: took, Bytes: int64(len(resp.Body)),
		}
		if s.cfg.TrustedProxies != nil {
			e.Client = addrText(s.fastClientAddr(r))
		}
		if denied == nil {
			if made, ok := p.Record(); ok {
				e.Attrs = recordAttrs(&made)
			}
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
