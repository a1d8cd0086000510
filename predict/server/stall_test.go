package server_test

import (
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict/server"
)

// TestStalledHeadMakesRoom has all connections stop in the middle of a head: of the first request,
// a later one, and a handshake of TLS.
func TestStalledHeadMakesRoom(t *testing.T) {
	onRoads(t, func(c *server.Config) { c.MaxConns, c.ReadHeaderTimeout = 2, time.Hour },
		func(t *testing.T, r *running, newCaller func() func() bool) {
			for _, stalled := range []string{"GET /hea", probe + "GET /hea", "\x16\x03\x01\x02"} {
				for range 2 {
					c := r.public.connect(t)
					_, err := io.WriteString(c, strings.Replace(stalled, "Connection: close\r\n",
						"", 1))
					require.NoError(t, err)
				}
				time.Sleep(500 * time.Millisecond)
				require.True(t, newCaller()(), "%q", stalled) // after a second
			}
		})
}

// TestStalledClientMakesRoom has all connections wait for their clients in the middle of a request
// or an answer. After a second without a byte they make room, and not while bytes go.
func TestStalledClientMakesRoom(t *testing.T) {
	ask := "GET /tickers?limit=1000 HTTP/1.1\r\nHost: a\r\n\r\n"
	for name, sent := range map[string]string{
		"a body":              strings.Replace(withFields("POST", batchPath, aForecast, 3), aForecast, "{", 1),
		"answers":             strings.Repeat(ask, 20),
		"answers of the lane": strings.Repeat(good, 100),
	} {
		t.Run(name, func(t *testing.T) {
			onTheseRoads(t, plainRoads, func(t *testing.T, road road) {
				r := start(t, road.on(inMemory()), func(c *server.Config) {
					c.MaxConns = 2
				})
				for range 2 {
					c := r.public.connect(t)
					go io.WriteString(c, sent)
				}
				time.Sleep(900 * time.Millisecond)
				answer, err := io.ReadAll(r.public.connect(t))
				require.NoError(t, err)
				require.Empty(t, answer, "a newcomer is closed within the second")
				time.Sleep(200 * time.Millisecond)
				status, _ := r.public.get(t, "/health")
				require.Equal(t, 200, status, "and finds room after it")
				require.Equal(t, "1", r.metric("connections_rejected_total"))
			})
		})
	}
}

// TestStorm has ever more connections begin a request. They leave room for one that asks.
func TestStorm(t *testing.T) {
	onTheseRoads(t, plainRoads, func(t *testing.T, road road) {
		r := start(t, road.on(inMemory()), func(c *server.Config) { c.MaxConns = 20 })
		for i := range 500 {
			c := r.public.connect(t)
			io.WriteString(c, "GET /") // one that was rejected has an error
			time.Sleep(5 * time.Millisecond)
			if i > 60 {
				c := r.public.connect(t)
				_, err := io.WriteString(c, probe)
				require.NoError(t, err)
				answer, err := io.ReadAll(c)
				require.NoError(t, err)
				require.Contains(t, string(answer), "200 OK", "request %d", i)
			}
		}
	})
}

// TestWorkIsNotCutOff asks the admin port on all of its connections for what takes it three
// seconds. Others find no room as long, and all get their answers.
func TestWorkIsNotCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), nil)
		var busy []net.Conn
		for range 48 {
			c := r.admin.connect(t)
			_, err := io.WriteString(c, "GET /debug/pprof/goroutine?seconds=3 HTTP/1.1\r\n"+
				"Host: localhost\r\n\r\n")
			require.NoError(t, err)
			busy = append(busy, c)
		}
		for range 50 {
			time.Sleep(50 * time.Millisecond)
			answer, err := io.ReadAll(r.admin.connect(t))
			require.NoError(t, err)
			require.Empty(t, answer)
		}
		for _, c := range busy {
			answer := make([]byte, 15)
			_, err := io.ReadFull(c, answer)
			require.NoError(t, err)
			require.Equal(t, "HTTP/1.1 200 OK", string(answer))
		}
	})
}
