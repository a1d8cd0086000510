package main

import (
	"net/http"
	"net/netip"
	"strconv"

	"tickercast/predict"
	"tickercast/predict/apikey"
	"tickercast/predict/metrics"
	"tickercast/predict/ratelimit"
)

// A guard asks who a request is of, and whether that client may have another.
type guard struct {
	*credentials
	limiter *ratelimit.Limiter[client] // nil: no limit
	refused func(reason string)        // counts
}

// A client is who a rate is counted for: the name of its key or, without one, its
// address. Of an IPv6 address the half that a provider hands out as one counts: who
// has one such address has 2^64.
type client struct {
	name    string
	network netip.Prefix
}

func (f *serveFlags) newGuard(c *credentials, reg *metrics.Registry) (*guard, error) {
	g := &guard{credentials: c, refused: func(reason string) { countRejected(reg, reason).Inc() }}
	if f.rate.Requests > 0 {
		l, err := ratelimit.New[client](ratelimit.Config{Rate: f.rate, Burst: f.burst})
		if err != nil {
			return nil, err
		}
		g.limiter = l
		reg.GaugeFunc("rate_limit_clients", "Clients whose rate is remembered.", func() float64 { return float64(l.Clients()) })
	}
	return g, nil
}

const rejectedHelp = "Requests refused for who asked, how often, or how much there was to do."

func countRejected(reg *metrics.Registry, reason string) *metrics.Counter {
	return reg.Counter("http_requests_rejected_total", rejectedHelp, metrics.Label{Name: "reason", Value: reason})
}

// open reports whether everybody may ask as much as they like.
func (g *guard) open() bool { return g.keys.Load() == nil && g.limiter == nil }

// wrap guards a handler. A request without a good key counts for its address, so that
// guessing keys is limited too.
func (g *guard) wrap(next http.HandlerFunc) http.HandlerFunc {
	if g.open() {
		return next
	}
	return func(w http.ResponseWriter, r *http.Request) {
		presented := apikey.FromHeader(r.Header)
		name, known := "", true
		if keys := g.keys.Load(); keys != nil {
			name, known = keys.Lookup(presented)
		}
		if rec, ok := w.(*statusRecorder); ok {
			rec.client = name
		}
		if g.limiter != nil && !g.take(w, clientOf(name, r)) {
			g.refused("rate")
			predict.Refuse(w, r, http.StatusTooManyRequests, "Too Many Requests")
			return
		}
		if !known {
			g.refused("key")
			unauthorized(w, r, presented)
			return
		}
		next(w, r)
	}
}

// take counts a request, and tells the client where it stands.
func (g *guard) take(w http.ResponseWriter, c client) bool {
	d := g.limiter.Take(c)
	h := w.Header()
	h.Set("RateLimit-Policy", g.limiter.Policy())
	h.Set("RateLimit", d.Fields())
	if !d.OK {
		h.Set("Retry-After", strconv.FormatInt(ratelimit.Seconds(d.Wait), 10))
	}
	return d.OK
}

func clientOf(name string, r *http.Request) client {
	if name != "" {
		return client{name: name}
	}
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return client{} // no address: not over TCP
	}
	ip, bits := a.Addr().Unmap(), 32
	if ip.Is6() {
		bits = 64
	}
	network, _ := ip.Prefix(bits) // without an error: the bits fit
	return client{network: network}
}

// unauthorized answers as FastAPI's own security does.
func unauthorized(w http.ResponseWriter, r *http.Request, presented string) {
	challenge, detail := "Bearer", "Not authenticated"
	if presented != "" {
		challenge, detail = `Bearer error="invalid_token"`, "Invalid API key"
	}
	w.Header().Set("WWW-Authenticate", challenge)
	predict.Refuse(w, r, http.StatusUnauthorized, detail)
}

// operators guards a handler of the admin address by its token, if there is one.
func (c *credentials) operators(next http.Handler) http.Handler {
	if c.token.Load() == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		presented := apikey.FromHeader(r.Header)
		if _, ok := c.token.Load().Lookup(presented); !ok {
			unauthorized(w, r, presented)
			return
		}
		next.ServeHTTP(w, r)
	})
}
