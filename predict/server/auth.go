package server

import (
	"net/http"
	"net/netip"
	"strings"

	"tickercast/predict"
	"tickercast/predict/internal/apikey"
	"tickercast/predict/internal/metrics"
	"tickercast/predict/internal/ratelimit"
)

// An auth decides which clients may ask, and how often.
type auth struct {
	creds    *credentials
	needKey  bool
	limiter  *ratelimit.Limiter[client] // nil: no limit
	byName   *keyCounts                 // nil: no keys
	badKey   *metrics.Counter
	overRate *metrics.Counter
}

// A client has a rate of its own. It is known by the name of its key or, without one, by its
// address. Of an IPv6 address only the upper half counts, since a client usually has all 2^64 of
// them.
type client struct {
	name    string
	network [16]byte // bytes, because those are hashed without an allocation
}

var (
	errNoKey = &predict.Error{Status: http.StatusUnauthorized, Detail: "Not authenticated",
		Challenge: "Bearer"} // worded as FastAPI's own security words it
	errBadKey = &predict.Error{Status: http.StatusUnauthorized, Detail: "Invalid API key",
		Challenge: `Bearer error="invalid_token"`}
)

// newAuth returns nil if everyone may ask as often as they like.
func newAuth(cfg *Config, creds *credentials, reg *metrics.Registry,
	clients int) (*auth, error) {
	if cfg.KeysFile == "" && cfg.RateLimit.Requests == 0 {
		return nil, nil
	}
	a := &auth{creds: creds, needKey: cfg.KeysFile != ""}
	if a.needKey {
		a.byName = &keyCounts{registry: reg}
		a.badKey = countRejected(reg, "key")
	}
	if cfg.RateLimit.Requests == 0 {
		return a, nil
	}
	var err error
	a.limiter, err = ratelimit.New[client](ratelimit.Config{Rate: cfg.RateLimit,
		Burst: cfg.RateBurst, Clients: clients})
	if err != nil {
		return nil, err
	}
	a.overRate = countRejected(reg, "rate")
	reg.GaugeFunc("rate_limit_clients", "Clients whose rate is remembered.",
		func() float64 { return float64(a.limiter.Clients()) })
	return a, nil
}

// authorize takes a request from its client's rate and returns the name of the client's key, and
// the refusal if it may not be answered. A request without a good key is taken from the rate of its
// address, so that guessing keys is limited too.
func (a *auth) authorize(key []byte, from netip.Addr) (name string, denied *predict.Error) {
	if a.needKey {
		if name, denied = checkKey(a.creds.keys.Load(), key); denied == nil {
			a.byName.of(name).Inc()
		}
	}
	if a.limiter != nil {
		if d := a.limiter.Take(clientOf(name, from)); !d.OK {
			return name, a.tooMany(d)
		}
	}
	if denied != nil {
		a.badKey.Inc()
	}
	return name, denied
}

func (a *auth) tooMany(d ratelimit.Decision) *predict.Error {
	a.overRate.Inc()
	return &predict.Error{Status: http.StatusTooManyRequests, Detail: "Too Many Requests",
		RetryAfter: ratelimit.Seconds(d.Wait)}
}

// charge takes a batch from its client's rate by its items, in place of the one request that
// authorize took.
func (a *auth) charge(c client, items int) *predict.Error {
	if a.limiter == nil || items <= 1 {
		return nil
	}
	if d := a.limiter.TakeMore(c, items, 1); !d.OK {
		return a.tooMany(d)
	}
	return nil
}

// charge is auth.charge for the client of a request.
func (s *Server) charge(w http.ResponseWriter, items int) error {
	if rec, ok := w.(*statusRecorder); ok {
		if denied := s.auth.charge(rec.pays, items); denied != nil {
			return denied
		}
	}
	return nil
}

func checkKey(keys *apikey.Set, key []byte) (name string, denied *predict.Error) {
	if keys != nil {
		if name, ok := keys.Lookup(key); ok {
			return name, nil
		}
	}
	if len(key) == 0 {
		return "", errNoKey
	}
	return "", errBadKey
}

func clientOf(name string, addr netip.Addr) client {
	if name != "" || !addr.IsValid() {
		return client{name: name}
	}
	network := addr.As16() // of IPv4 ::ffff: and four bytes, all of which count
	if !addr.Unmap().Is4() {
		clear(network[8:])
	}
	return client{network: network}
}

// keyVary keeps a cache from giving the answer to one client to another that may not have it.
const keyVary = "Authorization, X-API-Key"

// variesByKey reports whether the answers of a route differ between clients and caches keep them.
func (s *Server) variesByKey(r route) bool {
	return s.auth != nil && s.auth.needKey && !r.open && r.method == http.MethodGet
}

func varyByKey(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", keyVary) // CORS may have added more
		next(w, r)
	}
}

// require lets only authorized requests through to next.
func (s *Server) require(next http.HandlerFunc) http.HandlerFunc {
	if s.auth == nil {
		return next
	}
	return func(w http.ResponseWriter, r *http.Request) {
		addr := s.clientAddr(r)
		name, denied := s.auth.authorize(apikey.FromHeader(r.Header), addr)
		if rec, ok := w.(*statusRecorder); ok {
			rec.key, rec.pays = name, clientOf(name, addr)
		}
		if denied != nil {
			refuse(w, r, *denied)
			return
		}
		next(w, r)
	}
}

// clientAddr is the address of the client behind trusted proxies.
func (s *Server) clientAddr(r *http.Request) netip.Addr {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr) // without TCP there is no address
	return s.cfg.TrustedProxies.Client(peer.Addr(),
		strings.Join(r.Header[ratelimit.ForwardedFor], ","))
}

// requireAdminToken lets only requests with the token of the admin port through, if it has one.
func (s *Server) requireAdminToken(next http.Handler) http.Handler {
	if s.cfg.AdminTokenFile == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, denied := checkKey(s.creds.token.Load(), apikey.FromHeader(r.Header)); denied != nil {
			refuse(w, r, *denied)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// maxUnread is the longest body of a refused request that net/http is left to read, so that the
// connection can be used again. A longer body ends the connection.
const maxUnread = 16 << 10

// refuse answers a request whose body has not been read.
func refuse(w http.ResponseWriter, r *http.Request, e predict.Error) {
	e.Close = r.ContentLength < 0 || r.ContentLength > maxUnread
	predict.WriteError(w, r, &e)
}
