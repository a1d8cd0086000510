package server

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tickercast/predict/fastlane"
	"tickercast/predict/internal/memnet"
)

// TestStrict sends what net/http accepts too easily. Each input must get one answer and the end of
// the connection, whatever follows, with the lane and without.
func TestStrict(t *testing.T) {
	const next = "POST /predict HTTP/1.1\r\nHost: b\r\nContent-Type: application/json\r\n" +
		"Content-Length: 2\r\n\r\n{}"
	const first = "POST /predict HTTP/1.1\r\nHost: a\r\nAccept: x\r\n" +
		"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
	replaced := func(old, new string) string { return strings.Replace(first, old, new, 1) + next }
	with := func(header string) string { return replaced("Accept: x", header) }
	chunked := func(body string) string {
		return strings.Replace(first, "Content-Length: 2\r\n\r\n{}",
			"Transfer-Encoding: chunked\r\n\r\n"+body, 1) + next
	}
	for _, tt := range []struct{ name, request, status string }{
		{"Content-Length and Transfer-Encoding", strings.Replace(chunked("2\r\n{}\r\n0\r\n\r\n"),
			"Transfer", "Content-Length: 2\r\nTransfer", 1), "200 OK"},
		{"Transfer-Encoding", chunked("2\r\n{}\r\n0\r\n\r\n"), "200 OK"},
		{"chunk extension", chunked("2;\r\n{}\r\n0\r\n\r\n"), "200 OK"},
		{"space behind a chunk's size", chunked("2 \r\n{}\r\n0\r\n\r\n"), "200 OK"},
		{"HTTP/1.0 kept alive, Transfer-Encoding", strings.Replace(chunked(""), "HTTP/1.1\r\n",
			"HTTP/1.0\r\nConnection: keep-alive\r\n", 1), "422 Unprocessable Entity"},
		{"HTTP/1.0 kept alive", replaced("HTTP/1.1\r\n", "HTTP/1.0\r\nConnection: keep-alive\r\n"),
			"200 OK"},
		{"empty Host", replaced("Host: a", "Host:"), "400 Bad Request"},
		{"empty Host, absolute target", replaced("/predict HTTP/1.1\r\nHost: a",
			"http:///predict HTTP/1.1\r\nHost:"), "400 Bad Request"},
		// net/http refuses these by itself.
		{"two lengths", with("Content-Length: 3"), "400 Bad Request"},
		{"signed length", replaced("Content-Length: 2", "Content-Length: +2"), "400 Bad Request"},
		{"space before the colon", with("X : a"), "400 Bad Request: invalid header name"},
		{"chunk ended by LF", chunked("2\n{}\n0\n\n"), "400 Bad Request"},
		{"two Hosts", with("Host: b"), "400 Bad Request"},
		{"no Host", replaced("Host: a\r\n", ""), "400 Bad Request: missing required Host header"},
		{"HTTP/9.9", replaced("HTTP/1.1", "HTTP/9.9"),
			"505 HTTP Version Not Supported: unsupported protocol version"},
		{"unknown Expect", with("Expect: nonsense"), "417 Expectation Failed"},
		{"other Transfer-Encoding", with("Transfer-Encoding: gzip, chunked"),
			"501 Not Implemented"},
	} {
		for _, lane := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, lane %v", tt.name, lane), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					out, err := talkStrict(t, tt.request, lane)
					if err != nil || bytes.Count(out, []byte("HTTP/1.")) != 1 {
						t.Errorf("got %q, %v; want one answer and the end", out, err)
					}
					line, _, _ := bytes.Cut(out, []byte("\r\n"))
					if got := string(line); got != "HTTP/1.1 "+tt.status &&
						got != "HTTP/1.0 "+tt.status {
						t.Errorf("got %q, want %s", got, tt.status)
					}
				})
			})
		}
	}
}

// talkStrict sends a request to a strict server and reads until the server closes the connection.
// The handler echoes a body of {} and refuses others.
func talkStrict(t *testing.T, request string, lane bool) ([]byte, error) {
	refuse := func(status int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
		})
	}
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		switch {
		case err != nil:
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusBadRequest)
		case string(body) != "{}":
			w.WriteHeader(http.StatusUnprocessableEntity)
		default:
			w.Write(body)
		}
	})
	ln := memnet.Listen()
	srv := &http.Server{Handler: fastlane.Strict(echo, refuse(http.StatusBadRequest)),
		IdleTimeout: time.Minute}
	cfg := fastlane.Config{Listener: ln, Server: srv}
	if lane {
		cfg.Answer = func(r *fastlane.Request) (fastlane.Response, bool) {
			return fastlane.Response{Body: r.Body}, string(r.Body) == "{}"
		}
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(fastlane.New(cfg)) }()
	c, err := ln.Dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	c.Write([]byte(request))
	out, err := io.ReadAll(c) // the client does not close
	if took := time.Since(begin); took >= time.Minute {
		t.Errorf("closed only after %v", took)
	}
	ln.Close()
	<-served
	srv.Close()
	return out, err
}
