package fastlane_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"tickercast/predict/fastlane"
)

// guard decides by headers whether a request is answered. Everything it says depends on every byte
// of the three headers that the lane reads, so that a comparison of two servers finds any byte that
// was misread.
func guard(authorization, apiKey, forwardedFor string) (suffix string, refusal fastlane.Response) {
	all := authorization + "|" + apiKey + "|" + forwardedFor
	refuse := func(status int, name, value string) fastlane.Response {
		return fastlane.Response{Status: status, Body: fmt.Appendf(nil, `{"detail":%d}`, status),
			Header: http.Header{"X-Seen": {strconv.Quote(all)}, name: {value}}}
	}
	switch {
	case strings.Contains(all, "refuse"):
		return "", refuse(http.StatusUnauthorized, "Www-Authenticate", "Bearer")
	case strings.Contains(all, "close"):
		return "", refuse(http.StatusServiceUnavailable, "Connection", "close")
	}
	return strconv.Quote(all), fastlane.Response{}
}

// guarded is a lane with a guard and more headers.
func guarded() fastlane.Config {
	return fastlane.Config{
		Header: http.Header{"Content-Type": {"application/json"}, "Accept-Ch": {"a"},
			"Vary": {"Origin"}, "X-Z": {"b", "c"}},
		Routes: routes(func(r *fastlane.Request) (fastlane.Response, bool) {
			body, ok := predict(r.Body)
			if !ok {
				return fastlane.Response{}, false
			}
			suffix, refusal := guard(string(r.Authorization()), string(r.APIKey()),
				string(r.ForwardedFor()))
			if refusal.Status != 0 {
				return refusal, true
			}
			return fastlane.Response{Body: append(body, suffix...)}, true
		}),
	}
}

// guardedHandler is handler with the same guard.
func guardedHandler() http.Handler {
	return handlerWith(guarded().Header, func(r *http.Request) (string, fastlane.Response) {
		return guard(r.Header.Get("Authorization"), r.Header.Get("X-Api-Key"),
			r.Header.Get("X-Forwarded-For"))
	})
}
