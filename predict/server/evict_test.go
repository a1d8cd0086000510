package server_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict/server"
)

// roads are the ways of a request into the server.
var roads = map[string]struct {
	scheme string
	speaks func(*http.Protocols)
	lane   bool
	method string
}{
	"the fast lane":        {"http", http1, true, "POST"},
	"handed over":          {"http", http1, true, "GET"},
	"without the lane":     {"http", http1, false, "POST"},
	"TLS":                  {"https", http1, true, "POST"},
	"TLS without the lane": {"https", http1, false, "POST"},
	"HTTP/2":               {"https", http2, true, "POST"},
	"HTTP/2 without TLS":   {"http", h2c, true, "POST"},
}

// onRoads runs a test in a bubble for each road. A caller keeps a connection of its own open, and
// reports whether a request needed a new one.
func onRoads(t *testing.T, change func(*server.Config),
	test func(t *testing.T, r *running, newCaller func() (ask func() (isNew bool)))) {
	for name, road := range roads {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				chain, key := newCertificate(t, "cap")
				certFile, keyFile := filepath.Join(dir, "c"), filepath.Join(dir, "k")
				r := start(t, inMemory(), func(c *server.Config) {
					c.FastLane, c.H2C = road.lane, name == "HTTP/2 without TLS"
					if road.scheme == "https" {
						replaceFile(t, certFile, chain)
						replaceFile(t, keyFile, key)
						c.TLSCert, c.TLSKey = certFile, keyFile
					}
					change(c)
				})
				test(t, r, func() func() bool {
					transport := r.public.speaking(road.speaks, trusting(chain)).Transport
					transport.(*http.Transport).DisableKeepAlives = false
					client := &http.Client{Transport: transport}
					t.Cleanup(client.CloseIdleConnections)
					return func() bool {
						t.Helper()
						time.Sleep(time.Second) // so that the order is clear
						path := map[string]string{"POST": "/predict", "GET": "/livez"}[road.method]
						return askedAnew(t, client, road.method, road.scheme+"://"+r.Addr+path)
					}
				})
			})
		})
	}
}

// askedAnew sends a request, which must succeed, and reports whether it needed a new connection.
func askedAnew(t *testing.T, client *http.Client, method, url string) (isNew bool) {
	t.Helper()
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) { isNew = !i.Reused }})
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(aForecast))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	require.NoError(t, err)
	status, body := readAll(t, resp)
	require.Equal(t, 200, status, body)
	time.Sleep(100 * time.Millisecond) // until the one that made room is gone
	return isNew
}

func TestLongestIdleMakesRoom(t *testing.T) {
	onRoads(t, func(c *server.Config) { c.MaxConns = 3 },
		func(t *testing.T, r *running, newCaller func() func() bool) {
			a, b, c, d := newCaller(), newCaller(), newCaller(), newCaller()
			for _, ask := range []func() bool{a, b, c} {
				require.True(t, ask())
			}
			require.False(t, a(), "there is room for three")
			require.True(t, d())
			require.Equal(t, "1", r.metric("connections_evicted_total"))
			require.False(t, a(), "it was not the longest idle")
			require.False(t, c(), "it was not either")
			require.True(t, b(), "it was, and takes the place of d")
			require.False(t, a())
			require.False(t, c())
			require.True(t, d())
			require.Equal(t, "3", r.metric("connections_evicted_total"))
			require.Equal(t, "0", r.metric("connections_rejected_total"))
			require.Equal(t, "3", r.metric("connections_open"))
		})
}

// TestCrossingRequest has a request arrive two milliseconds after its connection was chosen to make
// room. It is answered and the connection stays, as do the places of others.
func TestCrossingRequest(t *testing.T) {
	onRoads(t, func(c *server.Config) { c.MaxConns = 1 },
		func(t *testing.T, r *running, newCaller func() func() bool) {
			ask := newCaller()
			require.True(t, ask())
			go func() {
				time.Sleep(998 * time.Millisecond)
				r.public.connect(t)
			}()
			require.False(t, ask(), "a request crossed the end of its connection")
			require.Equal(t, "1", r.metric("connections_evicted_total"))
			require.Equal(t, "2", r.metric("connections_open"))
			require.False(t, ask(), "the connection stays")
			for range 5 {
				require.True(t, newCaller()())
			}
			require.Equal(t, "0", r.metric("connections_rejected_total"))
			require.Equal(t, "1", r.metric("connections_open"))
		})
}

// TestBusyConnectionsStay fills all places with requests that are under way: a newcomer is closed.
func TestBusyConnectionsStay(t *testing.T) {
	onTheseRoads(t, plainRoads, func(t *testing.T, road road) {
		r := start(t, road.on(inMemory()), func(c *server.Config) { c.MaxConns = 2 })
		const head = "POST /predict/batch HTTP/1.1\r\nHost: a\r\nContent-Type: " +
			"application/json\r\nContent-Length: 15\r\n\r\n"
		var busy []net.Conn
		for range 2 {
			c := r.public.connect(t)
			_, err := io.WriteString(c, head)
			require.NoError(t, err)
			busy = append(busy, c)
		}
		for range 9 { // again and again, so that no place is lost
			time.Sleep(100 * time.Millisecond)
			answer, err := io.ReadAll(r.public.connect(t))
			require.NoError(t, err)
			require.Empty(t, answer)
		}
		require.Equal(t, "9", r.metric("connections_rejected_total")) // asked outside of the cap
		require.Equal(t, "2", r.metric("connections_open"))
		for _, c := range busy {
			_, err := io.WriteString(c, `{"requests":[]}`)
			require.NoError(t, err)
			answer := make([]byte, 15)
			_, err = io.ReadFull(c, answer)
			require.NoError(t, err)
			require.Equal(t, "HTTP/1.1 200 OK", string(answer))
		}
		synctest.Wait()
		status, _ := r.public.get(t, "/health")
		require.Equal(t, 200, status, "they are idle now")
	})
}

// TestAdminPortHasItsOwnCap opens more connections to the admin port than it may have, which keeps
// no one out of either port.
func TestAdminPortHasItsOwnCap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), func(c *server.Config) { c.MaxConns = 10 })
		for range 300 {
			c := r.admin.connect(t)
			_, err := io.WriteString(c, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
			require.NoError(t, err)
			answer := make([]byte, 15)
			_, err = io.ReadFull(c, answer)
			require.NoError(t, err)
			require.Equal(t, "HTTP/1.1 200 OK", string(answer))
		}
		require.Equal(t, "0", r.metric("connections_open"), "those are of the public port")
		for range 20 {
			status, _ := r.public.get(t, "/health")
			require.Equal(t, 200, status)
			status, _ = r.admin.get(t, "/livez")
			require.Equal(t, 200, status)
			status, _ = r.admin.post(t, "/-/reload", "")
			require.Equal(t, 200, status)
		}
	})
}

// TestManyIdle has 2,000 connections keep a real server with room for 500 full while new clients
// ask, over each road.
func TestManyIdle(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of connections")
	}
	dir := t.TempDir()
	chain, key := newCertificate(t, "many")
	replaceFile(t, filepath.Join(dir, "c"), chain)
	replaceFile(t, filepath.Join(dir, "k"), key)
	for name, change := range map[string]func(*server.Config){
		"with the lane":    func(c *server.Config) {},
		"without the lane": func(c *server.Config) { c.FastLane = false },
		"TLS": func(c *server.Config) {
			c.TLSCert, c.TLSKey = filepath.Join(dir, "c"), filepath.Join(dir, "k")
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, loopback(), func(c *server.Config) {
				c.MaxConns = 500
				change(c)
			})
			url, client := "http://"+r.Addr+"/health", &http.Client{Timeout: patience}
			transport := &http.Transport{DisableKeepAlives: true}
			if name == "TLS" {
				url = "https" + strings.TrimPrefix(url, "http")
				transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
			}
			client.Transport = transport
			for i := range 2000 {
				c := r.public.connect(t)
				if name == "TLS" && i%5 == 1 {
					c = tls.Client(c, transport.TLSClientConfig)
				}
				switch { // most never ask, some once, and some begin
				case i%5 == 1:
					_, err := io.WriteString(c, good)
					require.NoError(t, err)
				case i%5 == 2:
					_, err := io.WriteString(c, "P")
					require.NoError(t, err)
				}
				if i%50 == 49 {
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
					require.NoError(t, err)
					resp, err := client.Do(req)
					require.NoError(t, err, "after %d connections", i+1)
					status, _ := readAll(t, resp)
					require.Equal(t, 200, status)
					cancel()
				}
			}
			require.Equal(t, "0", r.metric("connections_rejected_total"))
		})
	}
}
