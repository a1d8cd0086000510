package server

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"tickercast/predict/fastlane"
)

// TestStrict sends what net/http alone is too lax about; each is one answer and the end, whatever
// follows.
func TestStrict(t *testing.T) {
	smuggled := post(apple)
	for _, tt := range []struct{ name, request, status string }{
		{"Content-Length and Transfer-Encoding",
			strings.Replace(chunked("2\r\n{}\r\n0\r\n\r\n"), "Transfer",
				"Content-Length: 2\r\nTransfer", 1), "200 OK"},
		{"Transfer-Encoding", chunked("2\r\n{}\r\n0\r\n\r\n"), "200 OK"},
		{"chunk extension", chunked("2;\r\n{}\r\n0\r\n\r\n"), "200 OK"},
		{"space behind a chunk's size", chunked("2 \r\n{}\r\n0\r\n\r\n"), "200 OK"},
		{"HTTP/1.0 kept alive, Transfer-Encoding",
			"POST /predict HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nContent-Type: " +
				"application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + smuggled,
			"422 Unprocessable Entity"},
		{"HTTP/1.0 kept alive", replaced("HTTP/1.1\r\n", "HTTP/1.0\r\nConnection: keep-alive\r\n"),
			"200 OK"},
		{"empty Host", replaced("Host: localhost:8080", "Host:"), "400 Bad Request"},
		{"empty Host, absolute target", replaced("/predict HTTP/1.1\r\nHost: localhost:8080",
			"http:///predict HTTP/1.1\r\nHost:"), "400 Bad Request"},
		// What net/http refuses by itself stays refused.
		{"two lengths", request("Content-Length: 3"), "400 Bad Request"},
		{"signed length", replaced("Content-Length: 2", "Content-Length: +2"), "400 Bad Request"},
		{"space before the colon", request("X : a"), "400 Bad Request: invalid header name"},
		{"chunk ended by LF", chunked("2\n{}\n0\n\n"), "400 Bad Request"},
		{"two Hosts", request("Host: b"), "400 Bad Request"},
		{"no Host", replaced("Host: localhost:8080\r\n", ""),
			"400 Bad Request: missing required Host header"},
		{"HTTP/9.9", replaced("HTTP/1.1", "HTTP/9.9"),
			"505 HTTP Version Not Supported: unsupported protocol version"},
		{"unknown Expect", request("Expect: nonsense"), "417 Expectation Failed"},
		{"other Transfer-Encoding", request("Transfer-Encoding: gzip, chunked"),
			"501 Not Implemented"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bothWays(t, fastlane.Config{}, func(t *testing.T, ln *memListener, l *fastlane.Lane) {
				c := dial(t, ln)
				defer c.Close()
				c.Write([]byte(tt.request))
				synctest.Wait()
				out, err := io.ReadAll(c.r) // ends because the server closes: the client does not
				if err != nil || bytes.Count(out, []byte("HTTP/1.")) != 1 {
					t.Errorf("got %q, %v; want one answer and the end", out, err)
				}
				if line, _, _ := bytes.Cut(out,
					[]byte("\r\n")); string(line) != "HTTP/1.1 "+tt.status &&
					string(line) != "HTTP/1.0 "+tt.status {
					t.Errorf("got %q, want %s", line, tt.status)
				}
			})
		})
	}
}
