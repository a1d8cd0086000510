package fastlane_test

import (
	"fmt"
	"hash/crc32"
	"net/http"
	"strings"

	"tickercast/predict/fastlane"
)

// A guard decides by headers whether a request is answered, and says something of each. Its answer
// depends on every byte of the three that the lane reads, so that a comparison of two servers finds
// one that was misread.
func guard(authorization, apiKey, forwardedFor string) (field string,
	refuse func(http.ResponseWriter)) {
	all := authorization + "|" + apiKey + "|" + forwardedFor
	field = fmt.Sprintf("%q;c=%d", "all", crc32.ChecksumIEEE([]byte(all)))
	refusal := func(status int, name, value string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header()["Ratelimit"] = []string{field}
			w.Header().Set(name, value)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"detail":%d}`, status)
		}
	}
	switch {
	case strings.Contains(all, "refuse"):
		return "", refusal(http.StatusUnauthorized, "WWW-Authenticate", "Bearer")
	case strings.Contains(all, "close"):
		return "", refusal(http.StatusServiceUnavailable, "Connection", "close")
	}
	return field, nil
}

// guarded is a lane with a guard, whose answers have more headers.
func guarded() fastlane.Config {
	return fastlane.Config{
		Header: http.Header{"Content-Type": {"application/json"}, "Accept-Ch": {"a"},
			"Ratelimit-Policy": {"b"}, "Vary": {"Origin"}},
		Field: "Ratelimit",
		Answer: func(r fastlane.Request) (a fastlane.Answer, ok bool) {
			if a.Body, ok = answer(r.Body); !ok {
				return a, false
			}
			field, refuse := guard(string(r.Authorization()), string(r.APIKey()),
				string(r.ForwardedFor()))
			a.Field, a.Refuse, a.Client = append(r.Room(), field...), refuse, "somebody"
			return a, true
		},
	}
}

// guardedHandler is handler with the same guard.
func guardedHandler() http.Handler {
	next, more := handler(), guarded().Header
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/predict" {
			next.ServeHTTP(w, r)
			return
		}
		for name, values := range more {
			w.Header()[name] = values
		}
		field, refuse := guard(r.Header.Get("Authorization"), r.Header.Get("X-Api-Key"),
			r.Header.Get("X-Forwarded-For"))
		if refuse != nil {
			fastlane.Strict(http.HandlerFunc(func(w http.ResponseWriter,
				_ *http.Request) {
				refuse(w)
			}), next).ServeHTTP(w, r)
			return
		}
		w.Header()["Ratelimit"] = []string{field}
		next.ServeHTTP(w, r)
	})
}
