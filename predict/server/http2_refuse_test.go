package server_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict/server"
)

const (
	tooLong     = "Request body too large"
	tooLongHead = "Request Header Fields Too Large"
)

// TestHTTP2RefusalsEndTheirStream refuses a request in each way that ends a connection of HTTP/1,
// while another one is under way on the same connection.
func TestHTTP2RefusalsEndTheirStream(t *testing.T) {
	long := strings.Repeat("x", 65<<10)
	for name, tt := range map[string]struct {
		send  func(h *http2Peer, stream uint32)
		after time.Duration // comes the end of the answer, at most
		want  string        // in the body; "": no answer
		reset bool          // the rest of the request is refused, without an error
	}{
		"too long, as it says": {
			send: func(h *http2Peer, stream uint32) {
				h.post(stream, "100000")
				h.data(stream, 0, long)
			},
			after: time.Second, want: tooLong, reset: true,
		},
		"too long, as it says and is": {
			send: func(h *http2Peer, stream uint32) {
				h.post(stream, fmt.Sprint(len(long)))
				h.data(stream, endStream, long)
			},
			want: tooLong,
		},
		"too long, and never sent": {
			send:  func(h *http2Peer, stream uint32) { h.post(stream, "70000") },
			after: time.Second, want: tooLong, reset: true,
		},
		"too long, as it turns out": {
			send: func(h *http2Peer, stream uint32) {
				h.ask(stream, 0, "POST", "/predict")
				h.data(stream, 0, long)
			},
			after: time.Second, want: tooLong, reset: true,
		},
		"stops": {
			send: func(h *http2Peer, stream uint32) {
				h.post(stream, "17")
				h.data(stream, 0, aForecast[:9])
			},
			after: 5 * time.Second, want: "Request Timeout", reset: true,
		},
		"whole, and ends late": {
			send: func(h *http2Peer, stream uint32) {
				h.post(stream, "17")
				h.data(stream, 0, aForecast)
				time.Sleep(900 * time.Millisecond)
				h.data(stream, endStream, "")
			},
			want: "AAPL",
		},
		"whole, and never ends": {
			send: func(h *http2Peer, stream uint32) {
				h.post(stream, "17")
				h.data(stream, 0, aForecast)
			},
			after: time.Second, want: "AAPL", reset: true,
		},
		"ends early": {
			send: func(h *http2Peer, stream uint32) {
				h.post(stream, "18")
				h.data(stream, endStream, aForecast)
			},
			want: "There was an error parsing the body",
		},
		"broken off": {
			send: func(h *http2Peer, stream uint32) {
				h.post(stream, "17")
				h.data(stream, 0, aForecast[:9])
				h.reset(stream)
			},
		},
		"not found, with a body": {
			send: func(h *http2Peer, stream uint32) {
				h.ask(stream, 0, "POST", "/nosuch")
				h.data(stream, 0, long)
			},
			after: time.Second, want: "Not Found", reset: true,
		},
		"a long head": {
			send: func(h *http2Peer, stream uint32) {
				h.ask(stream, endStream, "GET", "/health", "x-a", long[:40<<10])
			},
			want: tooLongHead,
		},
		"a long head, with a body": {
			send: func(h *http2Peer, stream uint32) {
				h.ask(stream, 0, "POST", "/predict", "x-a", long[:40<<10])
				h.data(stream, endStream, long)
			},
			want: tooLongHead,
		},
		"found, with a body that is not asked for": {
			send: func(h *http2Peer, stream uint32) {
				h.ask(stream, 0, "GET", "/health", "content-length", "1000000")
			},
			after: time.Second, want: "healthy", reset: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			hour := func(c *server.Config) { c.WriteTimeout = time.Hour }
			overHTTP2(t, hour, func(t *testing.T, r *running, connect func() *http2Peer) {
				h := connect()
				h.post(1, "17")
				h.data(1, 0, aForecast[:9])
				tt.send(h, 3)
				time.Sleep(tt.after)
				s := h.on(3)
				if tt.want != "" {
					require.Contains(t, s.body, tt.want)
					require.True(t, s.ended)
				} else {
					require.False(t, s.began)
				}
				if tt.reset {
					require.Equal(t, []uint32{0}, s.resets)
				} else {
					require.Empty(t, s.resets)
				}
				if tt.after < 5*time.Second {
					h.data(1, endStream, aForecast[9:])
					h.requireForecast(1)
				}
				h.post(5, "17")
				h.data(5, endStream, aForecast)
				h.requireForecast(5)
				goAways, ended := h.farewell()
				require.Empty(t, goAways)
				require.False(t, ended)
			})
		})
	}
}

// TestHTTP2WindowComesBack has more bodies refused than one connection's window holds. data fails
// if the window is not given back.
func TestHTTP2WindowComesBack(t *testing.T) {
	none := func(*server.Config) {}
	overHTTP2(t, none, func(t *testing.T, r *running, connect func() *http2Peer) {
		h := connect()
		stream := uint32(1)
		for range 40 {
			h.post(stream, "70000")
			h.data(stream, 0, strings.Repeat("x", 65<<10)) // and no more
			h.reset(stream)
			stream += 2
		}
		for range 40 {
			h.ask(stream, 0, "POST", "/predict")
			h.data(stream, endStream, strings.Repeat("x", 70_000))
			require.Contains(t, h.on(stream).body, tooLong)
			stream += 2
		}
		h.post(stream, "17")
		h.data(stream, endStream, aForecast)
		h.requireForecast(stream)
	})
}

// TestHTTP2Heads sends heads of many lengths over HTTP/2, all on one connection, and over HTTP/1.
// Both must get the same status.
func TestHTTP2Heads(t *testing.T) {
	r := start(t, loopback(), func(c *server.Config) { c.H2C = true })
	dialed := 0
	client := r.public.speaking(h2c, nil)
	transport := client.Transport.(*http.Transport)
	transport.DisableKeepAlives = false
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		dialed++
		return dial(ctx, network, addr)
	}
	defer client.CloseIdleConnections()
	seen := map[int]bool{}
	for _, length := range []int{10, 4_000, 8_100, 8_190, 8_192, 8_300, 11_900, 12_000, 12_500,
		16_384, 20_000, 33_000, 50_000, 64_000, 12} {
		for _, fields := range []int{1, 7} {
			header := http.Header{}
			for i := range fields {
				header.Set(fmt.Sprint("X-A", i), strings.Repeat("a", length/fields))
			}
			ask := func(c *http.Client) (int, string) {
				req, err := http.NewRequest("GET", "http://"+r.Addr+"/health", nil)
				require.NoError(t, err)
				req.Header = header
				resp, err := c.Do(req)
				require.NoError(t, err, "%d bytes in %d fields", length, fields)
				return readAll(t, resp)
			}
			r.client.CloseIdleConnections() // what a connection has read does not count
			want, _ := ask(r.client)
			status, body := ask(client)
			require.Equal(t, want, status, "%d bytes in %d fields: %s", length, fields, body)
			if status != 200 {
				require.Equal(t, `{"detail":"`+tooLongHead+`"}`, body)
			}
			seen[status] = true
		}
	}
	require.Equal(t, map[int]bool{200: true, 431: true}, seen)
	require.Equal(t, 1, dialed)
}

// TestFloodEndsConnection sends frames that are no part of a request for as long as the server
// takes them. Other connections go on.
func TestFloodEndsConnection(t *testing.T) {
	noChange := func(*server.Config) {}
	overHTTP2(t, noChange, func(t *testing.T, r *running, connect func() *http2Peer) {
		h, other := connect(), connect()
		for range 5000 {
			h.frame(framePing, 0, 0, make([]byte, 8))
		}
		_, ended := h.farewell()
		require.True(t, ended)
		other.post(1, fmt.Sprint(len(aForecast)))
		other.data(1, endStream, aForecast)
		other.requireForecast(1)
	})
}

// TestErrorsKeepNoCore has many connections end in an error, which net/http closes a second later.
// Others are answered at once meanwhile.
func TestErrorsKeepNoCore(t *testing.T) {
	noChange := func(*server.Config) {}
	overHTTP2(t, noChange, func(t *testing.T, r *running, connect func() *http2Peer) {
		other := connect()
		for range 9 * runtime.GOMAXPROCS(0) {
			connect().frame(framePing, 0, 1, make([]byte, 8)) // PING is of no stream
		}
		synctest.Wait()
		began := time.Now()
		other.post(1, fmt.Sprint(len(aForecast)))
		other.data(1, endStream, aForecast)
		for !other.on(1).ended {
			time.Sleep(time.Millisecond)
		}
		other.requireForecast(1)
		require.Less(t, time.Since(began), 200*time.Millisecond)
	})
}
