package fastlane_test

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"tickercast/predict/fastlane"
)

// answer is what the tests predict: something for a body in braces that depends on every byte of
// it.
func answer(body []byte) ([]byte, bool) {
	if len(body) < 2 || body[0] != '{' || body[len(body)-1] != '}' {
		return nil, false
	}
	n := 1
	if bytes.Contains(body, []byte("big")) {
		n = 200 // more than net/http counts by itself
	}
	return bytes.Repeat(fmt.Appendf(nil, "[%d,%d]", len(body), crc32.ChecksumIEEE(body)), n), true
}

// plainly is a lane's answer that depends on the body alone.
func plainly(answer func([]byte) ([]byte, bool)) func(fastlane.Request) (fastlane.Answer, bool) {
	return func(r fastlane.Request) (fastlane.Answer, bool) {
		body, ok := answer(r.Body)
		return fastlane.Answer{Body: body}, ok
	}
}

// handler answers as the prediction endpoint does.
func handler() http.Handler {
	write := func(w http.ResponseWriter, status int, body []byte) {
		w.Header()["Content-Type"] = []string{"application/json"}
		if len(body) > 2048 {
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		}
		w.WriteHeader(status)
		w.Write(body)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /predict", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
		if err != nil {
			w.Header().Set("Connection", "close")
			status := http.StatusBadRequest
			if errors.Is(err, os.ErrDeadlineExceeded) {
				status = http.StatusRequestTimeout
			}
			write(w, status, []byte(`{}`))
			return
		}
		t, _, _ := strings.Cut(strings.ToLower(r.Header.Get("Content-Type")), ";")
		if strings.TrimSpace(t) != "application/json" {
			write(w, http.StatusUnprocessableEntity, body)
			return
		}
		if a, ok := answer(body); ok {
			write(w, http.StatusOK, a)
		} else {
			write(w, http.StatusUnprocessableEntity, []byte(`{"detail":[]}`))
		}
	})
	mux.HandleFunc("GET /health", func(w http.ResponseWriter,
		r *http.Request) {
		write(w, http.StatusOK, []byte(`{}`))
	})
	bad := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		write(w, http.StatusBadRequest, []byte(`{"detail":"Bad Request"}`))
	})
	return fastlane.Strict(mux, bad)
}

// newServer is an http.Server with the limits that the tests assume.
func newServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 3 * time.Second,
		ReadTimeout:       5 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       75 * time.Second,
		MaxHeaderBytes:    8 << 10,
	}
}

// start serves cfg until the test ends; what cfg lacks is filled in.
func start(t testing.TB, cfg fastlane.Config) *fastlane.Lane {
	t.Helper()
	if cfg.Server == nil {
		cfg.Server = newServer(handler())
	}
	l := fastlane.New(cfg)
	done := make(chan error, 1)
	go func() { done <- cfg.Server.Serve(l) }()
	t.Cleanup(func() {
		l.Close()
		cfg.Server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
	return l
}

// post is a plain request.
func post(body string) string {
	return "POST /predict HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: test/1.0\r\nAccept: " +
		"*/*\r\n" +
		"Content-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) +
		"\r\n\r\n" + body
}

const apple = `{"ticker":"AAPL","days_ahead":1}`
