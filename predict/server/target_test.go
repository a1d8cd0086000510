package server

import (
	"net/http"
	"strings"
	"testing"

	"tickercast/predict"
)

func TestLimitTarget(t *testing.T) {
	h := predict.LimitTarget(http.HandlerFunc(func(w http.ResponseWriter,
		_ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
	for n, want := range map[int]int{1: 204, predict.MaxTarget: 204, predict.MaxTarget + 1: 414} {
		w := call(h, "GET", "/"+strings.Repeat("a", n-1), "")
		if w.Code != want || want == 414 && w.Body.String() != `{"detail":"URI Too Long"}` {
			t.Errorf("%d bytes: got %d %s, want %d", n, w.Code, w.Body, want)
		}
	}
}
