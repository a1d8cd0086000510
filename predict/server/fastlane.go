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
//
// What not every request needs is in functions of its own: with many connections, the stack that a
// request uses is seldom in the processor's caches, and each line of it costs.
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
		keyName, admitted, denied = s.admitFast(r, p)
	}
	if denied == nil {
		denied = s.answerPlain(route, r, p)
	}
	resp.Status, resp.Body = http.StatusOK, p.Answer
	if denied != nil {
		resp.Status, resp.Body = denied.Status, denied.Body(route.path)
		resp.Header = route.header(denied.Header(), admitted)
	} else if route.plain.Cacheable {
		resp.Fields = [...][]byte{p.Age, p.CacheControl, p.CacheStatus, p.ETag}
		if p.NotModified {
			resp.Status = http.StatusNotModified
		}
	}
	took := r.Elapsed()
	route.metrics.observe(resp.Status, took)
	if s.logs(route.metrics) && s.access.Wants(resp.Status) {
		e := &logging.Entry{Key: keyName, Status: resp.Status, Duration: took,
			Bytes: int64(len(resp.Body))}
		s.logFast(e, route, r, p, denied == nil)
	}
	p.Forget()
	return resp, true
}

// admitFast authorizes a client and takes its request from its rate.
func (s *Server) admitFast(r *fastlane.Request,
	p *predict.Plain) (keyName string, admitted bool, denied *predict.Error) {
	key := apikey.Presented(r.Authorization(), r.APIKey())
	keyName, denied = s.auth.authorize(key, s.fastClientAddr(r))
	if admitted = denied == nil; admitted && p.Items() > 1 {
		denied = s.auth.charge(clientOf(keyName, s.fastClientAddr(r)), p.Items())
	}
	return keyName, admitted, denied
}

// answerPlain takes the route's answer, and returns what its client gets instead if that fails.
func (s *Server) answerPlain(route *laneRoute, r *fastlane.Request,
	p *predict.Plain) (denied *predict.Error) {
	defer func() {
		if v := recover(); v != nil {
			denied = s.failedFast(route, r, nil, v)
		}
	}()
	if err := route.plain.Answer(p); err != nil {
		denied = s.failedFast(route, r, err, nil)
	}
	return denied
}

// failedFast returns what a client gets for an error or a panic.
func (s *Server) failedFast(route *laneRoute, r *fastlane.Request, err error,
	panicked any) *predict.Error {
	f := predict.Failure{ID: string(r.ID()), Method: route.method, Pattern: route.pattern(),
		Err: err}
	if panicked != nil {
		return s.panicked(panicked, f)
	}
	return s.service.PublicError(f)
}

// logFast writes an access log's line, of which e has what r and p do not know.
func (s *Server) logFast(e *logging.Entry, route *laneRoute, r *fastlane.Request, p *predict.Plain,
	answered bool) {
	e.ID, e.Trace, e.Remote = string(r.ID()), string(r.Trace()), r.Remote().String()
	e.Method, e.Path, e.Proto = route.method, r.Path(), "HTTP/1.1"
	if s.cfg.TrustedProxies != nil {
		e.Client = addrText(s.fastClientAddr(r))
	}
	if answered {
		if made, ok := p.Record(); ok {
			e.Attrs = recordAttrs(&made)
		}
	}
	s.access.Write(e)
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
