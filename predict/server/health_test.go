package server_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict/internal/systemd"
	"tickercast/predict/server"
)

// TestHealthSocket asks a server that takes no more connections.
func TestHealthSocket(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has sockets without files")
	}
	name := fmt.Sprintf("tickercast-test-health-%d", os.Getpid())
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	chain, key := newCertificate(t, "public")
	replaceFile(t, certFile, chain)
	replaceFile(t, keyFile, key)
	with := func(c *server.Config) {
		c.HealthSocket, c.MaxConns = name, 2
		c.TLSCert, c.TLSKey = certFile, keyFile
	}
	r := start(t, loopback(), with)
	for range 2 {
		r.public.connect(t)
	}
	health := port{addr: "localhost", network: network{dial: func(string) (net.Conn, error) {
		return net.Dial("unix", "@"+name)
	}}}
	health.client = health.network.client()
	for path, want := range map[string]int{"/health": 200, "/livez": 200, "/readyz": 200,
		"/metrics": 404, "/predict/AAPL": 404} {
		status, _ := health.get(t, path)
		require.Equal(t, want, status, path)
	}
	// Clients that send nothing do not keep others out for long.
	for range 40 {
		c, err := health.network.dial("")
		require.NoError(t, err)
		defer c.Close()
	}
	status, _ := health.get(t, "/health")
	require.Equal(t, http.StatusOK, status)

	second := start(t, loopback(), with)
	require.Eventually(t, func() bool {
		return strings.Contains(second.log.String(), "no health socket")
	}, patience, time.Millisecond)
	require.NotContains(t, r.log.String(), "no health socket")
}

// A manager takes the messages of a service, in order.
func manager(t *testing.T) (n *systemd.Notifier, next func() string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	n = systemd.NewNotifier(func(string) string { return path }, func(err error) { t.Error(err) })
	return n, func() string {
		t.Helper()
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
		b := make([]byte, 4096)
		size, err := conn.Read(b)
		require.NoError(t, err)
		return string(b[:size])
	}
}

func TestManagerIsTold(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no such socket")
	}
	notifier, next := manager(t)
	keys := filepath.Join(t.TempDir(), "keys")
	good := []byte(strings.Repeat("0", 64) + " someone\n")
	require.NoError(t, os.WriteFile(keys, good, 0o600))
	r := start(t, loopback(), func(c *server.Config) {
		c.Manager, c.KeysFile, c.WatchInterval = notifier, keys, 0
	})
	require.Equal(t, "READY=1\nSTATUS=serving on "+r.public.addr, next())

	r.hangup <- os.Interrupt
	require.Regexp(t, `^RELOADING=1\nMONOTONIC_USEC=\d+\n`, next())
	require.Equal(t, "READY=1\nSTATUS=reloaded", next())

	require.NoError(t, os.WriteFile(keys, nil, 0o600))
	r.hangup <- os.Interrupt
	require.Regexp(t, `^RELOADING=1\n`, next())
	require.Regexp(t, `^READY=1\nSTATUS=reload refused, serving what was served: .*no keys`, next())

	r.stop <- os.Interrupt
	require.Regexp(t, `^STOPPING=1\n`, next())
	require.NoError(t, r.end())
}

// TestConnectionsAge asks on one connection until it ends.
func TestConnectionsAge(t *testing.T) {
	const age = 20 * time.Second
	for path, method := range map[string]string{"/predict": "POST", "/predict/AAPL": "GET"} {
		synctest.Test(t, func(t *testing.T) {
			r := start(t, inMemory(), func(c *server.Config) { c.MaxConnAge = age })
			begin, closes := time.Now(), 0
			for range 60 {
				resp, _ := r.public.ask(t, method, path, `{"ticker":"AAPL"}`)
				require.Equal(t, http.StatusOK, resp.StatusCode)
				if resp.Close {
					closes++
					took := time.Since(begin)
					require.InDelta(t, age.Seconds(), took.Seconds(), age.Seconds()/10+1.1)
					begin = time.Now().Add(time.Second)
				}
				time.Sleep(time.Second)
			}
			require.InDelta(t, 3, closes, 1)
		})
	}
}

// TestConnectionsAgeFromTheirStart has a connection leave the fast lane when it is old already.
func TestConnectionsAgeFromTheirStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), func(c *server.Config) { c.MaxConnAge = 20 * time.Second })
		for range 17 {
			status, _ := r.public.post(t, "/predict", `{"ticker":"AAPL"}`)
			require.Equal(t, http.StatusOK, status)
			time.Sleep(time.Second)
		}
		resp, _ := r.public.ask(t, "GET", "/health", "")
		require.False(t, resp.Close)
		time.Sleep(6 * time.Second)
		resp, _ = r.public.ask(t, "GET", "/health", "")
		require.True(t, resp.Close)
	})
}

// TestOldConnectionsOfHTTP2 stay: there one has many requests.
func TestOldConnectionsOfHTTP2(t *testing.T) {
	n := loopback()
	r := start(t, n, func(c *server.Config) { c.MaxConnAge, c.H2C = time.Nanosecond, true })
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: protocols}}
	defer client.CloseIdleConnections()
	for range 5 {
		resp, err := client.Get("http://" + r.public.addr + "/health")
		require.NoError(t, err)
		readAll(t, resp)
		require.Equal(t, 2, resp.ProtoMajor)
	}
	require.Equal(t, "1", r.metric("connections_accepted_total"))
}
