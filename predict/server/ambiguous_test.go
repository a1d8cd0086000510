package server_test

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAmbiguousRequests sends requests whose end is in doubt, each with a good one behind it. Each
// gets one answer and then the end of the connection, which the client does not end.
func TestAmbiguousRequests(t *testing.T) {
	kept := strings.Replace(good, "HTTP/1.1\r\n", "HTTP/1.0\r\nConnection: keep-alive\r\n", 1)
	withHost := func(h string) string { return strings.Replace(good, host, h, 1) }
	requests := []struct{ name, request, status string }{
		{"Content-Length and Transfer-Encoding", rawPost(json17+chunks, in11), "200 OK"},
		{"Transfer-Encoding", rawPost(chunked, in11), "200 OK"},
		{"chunk extension", rawPost(chunked, strings.Replace(in11, "11", "11;", 1)), "200 OK"},
		{"space behind a chunk's size", rawPost(chunked, strings.Replace(in11, "11", "11 ", 1)),
			"200 OK"},
		{"HTTP/1.0 kept alive, Transfer-Encoding",
			"POST /predict HTTP/1.0\r\n" + host + "Connection: keep-alive\r\n" + chunked + "\r\n",
			"400 Bad Request"},
		{"HTTP/1.0 kept alive", kept, "200 OK"},
		{"empty Host", withHost("Host:\r\n"), "400 Bad Request"},
		{"empty Host, absolute target", strings.Replace(withHost("Host:\r\n"), "/predict",
			"http:///predict", 1), "400 Bad Request"},
		// net/http refuses these itself.
		{"two lengths", rawPost(json17+"Content-Length: 3\r\n", aForecast), "400 Bad Request"},
		{"signed length", rawPost(isJSON+"Content-Length: +17\r\n", aForecast), "400 Bad Request"},
		{"space before the colon", rawPost(json17+"X : a\r\n", aForecast),
			"400 Bad Request: invalid header name"},
		{"chunk ended by LF", rawPost(chunked, "11\n"+aForecast+"\n0\n\n"), "400 Bad Request"},
		{"two Hosts", withHost(host + "Host: b\r\n"), "400 Bad Request"},
		{"no Host", withHost(""), "400 Bad Request: missing required Host header"},
		{"HTTP/9.9", strings.Replace(good, "HTTP/1.1", "HTTP/9.9", 1),
			"505 HTTP Version Not Supported: unsupported protocol version"},
		{"unknown Expect", rawPost(json17+"Expect: nonsense\r\n", aForecast),
			"417 Expectation Failed"},
		{"other Transfer-Encoding", rawPost("Transfer-Encoding: gzip, chunked\r\n", ""),
			"501 Not Implemented"},
	}
	onEveryRoad(t, func(t *testing.T, road road) {
		r := start(t, road.on(inMemory()), nil)
		for _, tt := range requests {
			c := r.public.connect(t)
			_, err := io.WriteString(c, tt.request+good)
			require.NoError(t, err)
			out, err := io.ReadAll(c)
			require.NoError(t, err, tt.name)
			require.Equal(t, 1, strings.Count(string(out), "HTTP/1."), "%s: %q", tt.name, out)
			first, _, _ := strings.Cut(string(out), "\r\n")
			require.Contains(t, []string{"HTTP/1.0 " + tt.status, "HTTP/1.1 " + tt.status}, first,
				tt.name)
		}
	})
}

func TestTargetLimit(t *testing.T) {
	onEveryRoad(t, func(t *testing.T, road road) {
		r := start(t, road.on(inMemory()), nil)
		for n, want := range map[int]int{1: 404, 2048: 404, 2049: 414} {
			status, body := r.public.get(t, "/"+strings.Repeat("a", n-1))
			require.Equal(t, want, status, "%d bytes", n)
			if want == 414 {
				require.Equal(t, `{"detail":"URI Too Long"}`, body)
			}
		}
	})
}
