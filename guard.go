package main

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"tickercast/predict"
	"tickercast/predict/apikey"
	"tickercast/predict/forwarded"
	"tickercast/predict/metrics"
	"tickercast/predict/ratelimit"
)

// A guard asks who a request is of, and whether that client may have another.
type guard struct {
	*credentials
	limiter *ratelimit.Limiter[client] // nil: no limit
	policy  []string                   // its RateLimit-Policy
	proxies forwarded.Proxies          // who say what address a client has
	refused func(reason string)        // counts
}

// A client is who a rate is counted for: the name of its key or, without one, its address. Of an
// IPv6 address the half that a provider hands out as one counts: who has one such address has 2^64.
type client struct {
	name    string
	network [16]byte // of the address; bytes, because those are hashed without an allocation
}

func (f *serveFlags) newGuard(c *credentials, reg *metrics.Registry) (*guard, error) {
	g := &guard{credentials: c, proxies: f.proxies,
		refused: func(reason string) { countRejected(reg, reason).Inc() }}
	if f.rate.Requests > 0 {
		l, err := ratelimit.New[client](ratelimit.Config{Rate: f.rate, Burst: f.burst})
		if err != nil {
			return nil, err
		}
		g.limiter, g.policy = l, []string{l.Policy()}
		reg.GaugeFunc("rate_limit_clients", "Clients whose rate is remembered.",
			func() float64 { return float64(l.Clients()) })
	}
	return g, nil
}

// checkRate refuses settings of a limit that there is not.
func (f *serveFlags) checkRate() error {
	switch {
	case f.rate.Requests > 0:
	case f.proxies != nil:
		return usagef("-trusted-proxies says whose requests -rate-limit counts, which is not given")
	case f.burst > 0:
		return usagef("-rate-burst says how many requests -rate-limit lets through at once, " +
			"which is not given")
	}
	return nil
}

const rejectedHelp = "Requests refused for who asked (key), how often (rate), how much there " +
	"was to do (overload), or how many large answers there were at once (memory)."

func countRejected(reg *metrics.Registry, reason string) *metrics.Counter {
	return reg.Counter("http_requests_rejected_total", rejectedHelp,
		metrics.Label{Name: "reason", Value: reason})
}

// open reports whether everybody may ask as much as they like.
func (g *guard) open() bool { return g.keys.Load() == nil && g.limiter == nil }

// A verdict is what a guard finds of a request.
type verdict struct {
	client  string             // the name of its key
	limit   ratelimit.Decision // if there is a limit
	refusal *refusal           // nil: it may be answered
	unread  int64              // bytes of the body of a request that may not
}

// A refusal is one of the ways in which a guard refuses.
type refusal struct {
	status            int
	detail, challenge string
	reason            string // in the metrics
}

var (
	tooMany = &refusal{http.StatusTooManyRequests, "Too Many Requests", "", "rate"}
	// as FastAPI's own security says it
	noKey  = &refusal{http.StatusUnauthorized, "Not authenticated", "Bearer", "key"}
	badKey = &refusal{http.StatusUnauthorized, "Invalid API key", `Bearer error="invalid_token"`,
		"key"}
)

// judge takes a request from its client's rate, and counts it if it is to be refused. One without a
// good key is taken from the rate of its address, so that guessing keys is limited too.
func (g *guard) judge(key []byte, from netip.Addr) (v verdict) {
	if keys := g.keys.Load(); keys != nil {
		var known bool
		if v.client, known = keys.Lookup(key); !known {
			v.refusal = refusalOf(key)
		}
	}
	if g.limiter != nil {
		if v.limit = g.limiter.Take(clientOf(v.client, from)); !v.limit.OK {
			v.refusal = tooMany
		}
	}
	if v.refusal != nil {
		g.refused(v.refusal.reason)
	}
	return v
}

func refusalOf(key []byte) *refusal {
	if len(key) > 0 {
		return badKey
	}
	return noKey
}

// Names of headers as net/http writes them.
const (
	rateLimit       = "Ratelimit"
	rateLimitPolicy = "Ratelimit-Policy"
)

// tell tells the client where it stands with its rate.
func (g *guard) tell(h http.Header, v verdict) {
	if g.limiter == nil {
		return
	}
	h[rateLimitPolicy] = g.policy
	h[rateLimit] = []string{string(v.limit.AppendFields(nil))}
	if !v.limit.OK {
		h.Set("Retry-After", strconv.FormatInt(ratelimit.Seconds(v.limit.Wait), 10))
	}
}

// refuse answers a request that may not be answered.
func (g *guard) refuse(w http.ResponseWriter, v verdict) {
	g.tell(w.Header(), v)
	v.refusal.write(w, v.unread)
}

func (r *refusal) write(w http.ResponseWriter, unread int64) {
	if r.challenge != "" {
		w.Header().Set("WWW-Authenticate", r.challenge)
	}
	predict.Refuse(w, unread, r.status, r.detail)
}

// wrap guards a handler.
func (g *guard) wrap(next http.HandlerFunc) http.HandlerFunc {
	if g.open() {
		return next
	}
	return func(w http.ResponseWriter, r *http.Request) {
		v := g.judge(apikey.FromHeader(r.Header), g.clientAddr(r))
		if rec, ok := w.(*statusRecorder); ok {
			rec.client = v.client
		}
		if v.refusal != nil {
			v.unread = r.ContentLength
			g.refuse(w, v)
			return
		}
		g.tell(w.Header(), v)
		next(w, r)
	}
}

// clientAddr is the address that a request came from; none if that was not over TCP.
func (g *guard) clientAddr(r *http.Request) netip.Addr {
	a, _ := netip.ParseAddrPort(r.RemoteAddr)
	if g.proxies == nil {
		return a.Addr()
	}
	return g.proxies.Client(a.Addr(), strings.Join(r.Header[forwarded.Header], ","))
}

func clientOf(name string, ip netip.Addr) client {
	if name != "" || !ip.IsValid() {
		return client{name: name}
	}
	network := ip.As16() // of IPv4 ::ffff: and four bytes, all of which count
	if !ip.Unmap().Is4() {
		clear(network[8:])
	}
	return client{network: network}
}

// operators guards a handler of the admin address by its token, if there is one.
func (c *credentials) operators(next http.Handler) http.Handler {
	if c.token.Load() == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		presented := apikey.FromHeader(r.Header)
		if _, ok := c.token.Load().Lookup(presented); !ok {
			refusalOf(presented).write(w, r.ContentLength)
			return
		}
		next.ServeHTTP(w, r)
	})
}
