package server

import (
	"net/http"
	"net/netip"
	"strings"

	"tickercast/predict"
)

// refusePages keeps web pages from working the admin port through an operator's browser, where no
// token does: a page can send requests to loopback, and read the answers once its own name resolves
// to that address. So the Host must be an address or localhost, and a browser that says where a
// request comes from must name this port.
func refusePages(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin, site := r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site")
		if !isLocalName(r.Host) || origin != "" && origin != "http://"+r.Host ||
			site != "" && site != "none" && site != "same-origin" {
			refuse(w, r, predict.Error{Status: http.StatusForbidden,
				Detail: "Requests of web pages need a token"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLocalName reports whether a Host, with or without a port, is an address or localhost.
func isLocalName(host string) bool {
	if _, err := netip.ParseAddrPort(host); err == nil {
		return true
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	name, _, _ := strings.Cut(host, ":")
	return strings.EqualFold(name, "localhost")
}
