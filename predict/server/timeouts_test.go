package server_test

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict/server"
)

// requireTook wants a timeout to end a connection: at once in net/http, and within half a second in
// the fast lane, which sets deadlines less often.
func requireTook(t *testing.T, timeout time.Duration, began time.Time, lane bool) {
	t.Helper()
	took, most := time.Since(began), timeout
	if lane {
		most += 500 * time.Millisecond
	}
	require.GreaterOrEqual(t, took, timeout)
	require.LessOrEqual(t, took, most)
}

// TestTimeouts has clients stop half-way. Each connection ends when its own timeout says.
func TestTimeouts(t *testing.T) {
	const short = 300 * time.Millisecond
	set := map[string]func(*server.Config){
		"a head":         func(c *server.Config) { c.ReadHeaderTimeout = short },
		"a body":         func(c *server.Config) { c.ReadTimeout = short },
		"a next request": func(c *server.Config) { c.IdleTimeout = short },
	}
	for name, sent := range map[string]string{
		"a head":         line + host + json17,
		"a body":         good[:len(good)-1],
		"a next request": good,
	} {
		t.Run(name, func(t *testing.T) {
			onEveryRoad(t, func(t *testing.T, road road) {
				r := start(t, road.on(inMemory()), func(c *server.Config) {
					set[name](c)
				})
				c := r.public.connect(t)
				began := time.Now()
				_, err := io.WriteString(c, sent)
				require.NoError(t, err)
				answer, err := io.ReadAll(c)
				require.NoError(t, err, "read %q", answer)
				requireTook(t, short, began, road.lane)
				synctest.Wait() // the client knows first
				require.Equal(t, "0", r.metric("connections_open"))
			})
		})
	}
}

// TestSlowReader has a client ask and not read, which ends its connection after WriteTimeout.
func TestSlowReader(t *testing.T) {
	onEveryRoad(t, func(t *testing.T, road road) {
		r := start(t, road.on(inMemory()), nil)
		c := r.public.connect(t)
		began := time.Now()
		for err := error(nil); err == nil; {
			_, err = io.WriteString(c, good)
		}
		timeout := server.Default().WriteTimeout
		if road.tls && !road.lane {
			timeout += 5 * time.Second // package tls tries to say goodbye
		}
		requireTook(t, timeout, began, road.lane)
	})
}

// TestLongProfile asks the admin port for a profile of half a minute, longer than the timeouts of
// the public port let an answer take.
func TestLongProfile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), func(c *server.Config) { c.WriteTimeout = time.Second })
		began := time.Now()
		status, body := r.admin.get(t, "/debug/pprof/goroutine?seconds=30")
		require.Equal(t, 200, status, body)
		require.NotEmpty(t, body)
		require.Equal(t, 30*time.Second, time.Since(began))
	})
}
