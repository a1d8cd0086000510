// Package cors lets pages of listed origins use a server from a browser: it answers preflights and
// marks answers.
//
// It is no access control, since only browsers obey it. It never allows credentials that a browser
// adds by itself, such as cookies; a page may send a key in a header.
package cors

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// What a page may send and read besides what browsers always allow.
const (
	methods = "GET, HEAD, POST"
	request = "Authorization, Content-Type, Idempotency-Key, Traceparent, Tracestate, " +
		"X-Api-Key, X-Request-Id"
	exposed = "Age, ETag, Retry-After, X-Request-Id"
	// seconds for which a browser keeps a preflight's answer; Chromium allows two hours at most
	maxAge = "7200"
)

// Policy lists the origins whose pages may use the server.
type Policy struct {
	origins []string // nil: all
}

// New returns a policy for a list of origins such as https://example.com, or * for all.
func New(origins []string) (*Policy, error) {
	if slices.Equal(origins, []string{"*"}) {
		return new(Policy), nil
	}
	p := &Policy{origins: []string{}}
	for _, o := range origins {
		u, err := url.Parse(o)
		if err != nil || u.Host == "" || u.Scheme+"://"+u.Host != o {
			return nil, fmt.Errorf("origin %q is not scheme://host or scheme://host:port", o)
		}
		if u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80" {
			return nil, fmt.Errorf("origin %q: a browser leaves the port out", o)
		}
		if strings.Contains(o, "*") {
			return nil, fmt.Errorf("origin %q: list full origins, or only * for all", o)
		}
		if o != strings.ToLower(o) {
			return nil, fmt.Errorf("origin %q: a browser sends it in lower case", o)
		}
		p.origins = append(p.origins, o)
	}
	return p, nil
}

// Header returns what every answer carries, whether or not its request names an origin.
func (p *Policy) Header() http.Header {
	if p.origins == nil {
		return nil
	}
	return http.Header{"Vary": {"Origin"}}
}

// allow returns the value of Access-Control-Allow-Origin, or "".
func (p *Policy) allow(origin string) string {
	switch {
	case p.origins == nil:
		return "*"
	case slices.Contains(p.origins, origin):
		return origin
	}
	return ""
}

// Wrap answers preflights and marks the answers of next; forbidden answers a preflight from an
// origin that is not listed. An OPTIONS that is no preflight goes to next.
func (p *Policy) Wrap(next, forbidden http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		for name, values := range p.Header() {
			h[name] = values
		}
		origin := r.Header.Get("Origin")
		if origin == "" {
			next.ServeHTTP(w, r)
			return
		}
		allow := p.allow(origin)
		if allow != "" {
			h.Set("Access-Control-Allow-Origin", allow)
		}
		switch {
		case r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "":
			if allow != "" {
				h.Set("Access-Control-Expose-Headers", exposed)
			}
			next.ServeHTTP(w, r)
		case allow == "":
			forbidden.ServeHTTP(w, r)
		default:
			h.Set("Access-Control-Allow-Methods", methods)
			h.Set("Access-Control-Allow-Headers", request)
			h.Set("Access-Control-Max-Age", maxAge)
			w.WriteHeader(http.StatusNoContent)
		}
	})
}
