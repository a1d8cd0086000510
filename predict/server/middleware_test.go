package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestAbortIsNotRecovered: a handler that aborts has its connection closed by net/http.
func TestAbortIsNotRecovered(t *testing.T) {
	h := new(Server).recoverPanic(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	}))
	defer func() {
		if got := recover(); got != http.ErrAbortHandler {
			t.Errorf("got %v, want http.ErrAbortHandler", got)
		}
	}()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	t.Error("the panic went no further")
}
