package server

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"tickercast/predict"
	"tickercast/predict/internal/apikey"
)

// refusePages keeps web pages from working the admin port through an operator's browser, where no
// token does: a page can send requests to loopback, and read the answers once its own name resolves
// to that address. So the Host must be an address or localhost, and a browser that says where a
// request comes from must name this port.
func refusePages(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		foreign := func(origin string) bool { return origin != "http://"+r.Host }
		elsewhere := func(site string) bool { return site != "none" && site != "same-origin" }
		if !isLocalName(r.Host) || slices.ContainsFunc(r.Header["Origin"], foreign) ||
			slices.ContainsFunc(r.Header["Sec-Fetch-Site"], elsewhere) {
			refuse(w, r, predict.Error{Status: http.StatusForbidden,
				Detail: "Requests of web pages need a token"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLocalName reports whether a Host, with or without a port, is an address or localhost.
func isLocalName(host string) bool {
	if name, port, err := net.SplitHostPort(host); err == nil {
		if strings.Trim(port, "0123456789") != "" {
			return false
		}
		host = name
	} else if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		host = host[1 : len(host)-1]
	}
	_, err := netip.ParseAddr(host)
	return err == nil || strings.EqualFold(host, "localhost")
}

// serveReadyAdmin is GET /readyz on the admin port: a probe has no token and gets the reasons, an
// operator gets the paths and what is wrong in the files too.
func (s *Server) serveReadyAdmin(w http.ResponseWriter, r *http.Request) {
	if s.cfg.AdminTokenFile != "" {
		if _, denied := checkKey(s.creds.token.Load(), apikey.FromHeader(r.Header)); denied != nil {
			s.service.ServeReady(w, r)
			return
		}
	}
	s.service.ServeReadyDetails(w, r)
}
