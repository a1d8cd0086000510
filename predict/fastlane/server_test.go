package fastlane_test

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"tickercast/predict/fastlane"
)

// predict is the service of these tests. It accepts a body in braces, and its answer depends on
// every byte.
func predict(body []byte) ([]byte, bool) {
	if len(body) < 2 || body[0] != '{' || body[len(body)-1] != '}' {
		return nil, false
	}
	n := 1
	if bytes.Contains(body, []byte("big")) {
		n = 200 // more than net/http counts by itself
	}
	return bytes.Repeat(fmt.Appendf(nil, "[%d,%d]", len(body), crc32.ChecksumIEEE(body)), n), true
}

// answer is a Route.Answer that does what handler does.
func answer(r *fastlane.Request) (fastlane.Response, bool) {
	body, ok := predict(r.Body)
	return fastlane.Response{Body: body}, ok
}

// routes are what the handlers serve, with a given answer to predictions.
func routes(answer func(*fastlane.Request) (fastlane.Response, bool)) []fastlane.Route {
	return []fastlane.Route{
		{Method: "POST", Path: "/predict", Answer: answer},
		{Method: "GET", Path: "/item/{name}", Fields: []string{"Age", "Etag"},
			Answer: func(r *fastlane.Request) (fastlane.Response, bool) {
				status, tag, body := item(string(r.Segment()), string(r.Query()),
					string(r.IfNoneMatch()), string(r.Accept()))
				return fastlane.Response{Status: status, Body: body,
					Fields: [fastlane.MaxFields][]byte{[]byte("7"), []byte(tag)}}, true
			}},
		{Method: "GET", Path: "/health",
			Answer: func(r *fastlane.Request) (fastlane.Response, bool) {
				return fastlane.Response{Body: []byte(`{}`)}, r.Path() == "/health"
			}},
		{Method: "POST", Path: "/item/echo",
			Answer: func(r *fastlane.Request) (fastlane.Response, bool) {
				return fastlane.Response{Body: r.Body}, true
			}},
	}
}

// item is the service of a GET. Its answer depends on all that it gets.
func item(name, query, match, accept string) (status int, tag string, body []byte) {
	all := strings.Join([]string{name, query, accept}, "|")
	tag = strconv.Quote(strconv.Itoa(int(crc32.ChecksumIEEE([]byte(all)))))
	switch {
	case strings.Contains(match, "held"):
		return http.StatusNotModified, tag, nil
	case strings.HasPrefix(name, "big"):
		all = strings.Repeat(all, 200)
	}
	return http.StatusOK, tag, []byte(strconv.Quote(match + all))
}

// handler serves the prediction endpoint without a guard.
func handler() http.Handler {
	return handlerWith(nil, func(*http.Request) (string, fastlane.Response) {
		return "", fastlane.Response{}
	})
}

// handlerWith serves it with more headers and behind a guard, which gives what is appended to an
// answer, or a refusal.
func handlerWith(more http.Header,
	guard func(*http.Request) (string, fastlane.Response)) http.Handler {
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
		maps.Copy(w.Header(), more)
		suffix, refusal := guard(r)
		if refusal.Status != 0 {
			maps.Copy(w.Header(), refusal.Header)
			write(w, refusal.Status, refusal.Body)
			return
		}
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
		if a, ok := predict(body); ok {
			write(w, http.StatusOK, append(a, suffix...))
		} else {
			write(w, http.StatusUnprocessableEntity, []byte(`{"detail":[]}`))
		}
	})
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), more)
		write(w, http.StatusOK, []byte(`{}`))
	})
	mux.HandleFunc("GET /item/{name}", func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), more)
		status, tag, body := item(r.PathValue("name"), r.URL.RawQuery,
			strings.Join(r.Header["If-None-Match"], ","), strings.Join(r.Header["Accept"], ","))
		w.Header()["Age"], w.Header()["Etag"] = []string{"7"}, []string{tag}
		if status == http.StatusNotModified {
			w.WriteHeader(status)
			return
		}
		write(w, status, body)
	})
	mux.HandleFunc("POST /item/echo", func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), more)
		body, err := io.ReadAll(r.Body)
		if err != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			w.Header().Set("Connection", "close")
			write(w, http.StatusBadRequest, nil)
			return
		}
		write(w, http.StatusOK, body)
	})
	return mux
}

// newServer returns an http.Server with the limits that the tests of timeouts assume.
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

// newPatientServer returns one whose timeouts no test reaches, however busy the machine is.
func newPatientServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadTimeout: time.Hour, WriteTimeout: time.Hour,
		MaxHeaderBytes: 8 << 10}
}

// start serves cfg, by default with a patient server, until stop is called.
func start(t testing.TB, cfg fastlane.Config) (l *fastlane.Lane, stop func()) {
	t.Helper()
	if cfg.Server == nil {
		cfg.Server = newPatientServer(handler())
	}
	l = fastlane.New(cfg)
	done := make(chan error, 1)
	go func() { done <- cfg.Server.Serve(l) }()
	return l, func() {
		l.Close()
		cfg.Server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			t.Errorf("Serve: %v", err)
		}
	}
}

// serve is start until the test ends.
func serve(t testing.TB, cfg fastlane.Config) *fastlane.Lane {
	t.Helper()
	l, stop := start(t, cfg)
	t.Cleanup(stop)
	return l
}

// listenTCP returns a listener on loopback.
func listenTCP(t testing.TB) *net.TCPListener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln.(*net.TCPListener)
}

// post returns a plain request.
func post(body string) string {
	return "POST /predict HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: test/1.0\r\n" +
		"Accept: */*\r\nContent-Type: application/json\r\nContent-Length: " +
		strconv.Itoa(len(body)) + "\r\n\r\n" + body
}

const apple = `{"ticker":"AAPL","days_ahead":1}`
