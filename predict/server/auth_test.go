package server_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict/internal/memnet"
	"tickercast/predict/internal/ratelimit"
	"tickercast/predict/server"
)

const (
	aForecast = `{"ticker":"AAPL"}`
	requestID = "X-Request-Id"
)

func hashed(key string) string {
	h := sha256.Sum256([]byte(key))
	return hex.EncodeToString(h[:])
}

// keysOf are the lines of a file of keys, by names: "alice: key-of-alice".
func keysOf(lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		name, key, _ := strings.Cut(line, ": ")
		fmt.Fprintf(&b, "%s %s\n", hashed(key), name)
	}
	return b.String()
}

func TestAPIKeys(t *testing.T) {
	onEveryRoad(t, func(t *testing.T, road road) {
		file := tempFile(t, "keys", keysOf("alice: key-of-alice", "bob: key-of-bob"))
		r := start(t, road.on(inMemory()), func(c *server.Config) { c.KeysFile = file })
		for _, tt := range []struct {
			header, challenge, detail string
			status                    int
		}{
			{"X: y", "Bearer", "Not authenticated", 401},
			{"Authorization: Basic key-of-alice", "Bearer", "Not authenticated", 401},
			{"Authorization: Bearer key-of-carol", `Bearer error="invalid_token"`,
				"Invalid API key", 401},
			{"X-API-Key: " + hashed("key-of-alice"), `Bearer error="invalid_token"`,
				"Invalid API key", 401},
			{"Authorization: Bearer key-of-alice", "", "", 200},
			{"X-API-Key: key-of-bob", "", "", 200},
		} {
			resp, body := r.public.ask(t, "POST", "/predict", aForecast, tt.header)
			require.Equal(t, tt.status, resp.StatusCode, "%s: %s", tt.header, body)
			require.Equal(t, tt.challenge, resp.Header.Get("WWW-Authenticate"), tt.header)
			if tt.status == 401 {
				require.Equal(t, fmt.Sprintf(`{"detail":"%s"}`, tt.detail), body, tt.header)
				require.Equal(t, "application/json", resp.Header.Get("Content-Type"))
			}
		}
		for path, want := range map[string]int{
			"/health": 200, "/livez": 200, "/readyz": 200, "/docs": 200, "/openapi.json": 200,
			"/tickers": 401, "/predict/AAPL": 401, "/model": 401, "/nowhere": 404,
		} {
			status, body := r.public.get(t, path)
			require.Equal(t, want, status, "%s: %s", path, body)
		}
		status, _ := r.public.get(t, "/predict")
		require.Equal(t, 405, status, "which routes there are is no secret")
		resp, _ := r.public.ask(t, "POST", "/predict", strings.Repeat(" ", 20<<10))
		require.Equal(t, !road.http2, resp.Close, "a long body is not read without a key")
		require.Equal(t, "8", r.metric(`http_requests_rejected_total{reason="key"}`))
	})
}

func TestKeysAreReloaded(t *testing.T) {
	onEveryRoad(t, func(t *testing.T, road road) {
		file := tempFile(t, "keys", keysOf("alice: key-of-alice", "bob: key-of-bob"))
		r := start(t, road.on(inMemory()), func(c *server.Config) { c.KeysFile = file })
		status := func(key string) int {
			resp, _ := r.public.ask(t, "POST", "/predict", aForecast, "X-API-Key: "+key)
			return resp.StatusCode
		}
		// A bad file changes nothing. The log names its line and not its content.
		replaceFile(t, file, keysOf("alice: key-of-alice")+"key-of-dave\n")
		time.Sleep(watched)
		require.Contains(t, r.log.String(), "reload refused")
		require.Contains(t, r.log.String(), "keys:2: ")
		require.NotContains(t, r.log.String(), "key-of-dave")
		require.Equal(t, 200, status("key-of-bob"))
		// A good file counts at once.
		replaceFile(t, file, keysOf("alice: key-of-alice"))
		r.hangUp()
		require.Equal(t, 401, status("key-of-bob"))
		require.Equal(t, 200, status("key-of-alice"))
	})
}

func TestAdminToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := tempFile(t, "token", "a-token-of-operators\n")
		r := start(t, inMemory(), func(c *server.Config) {
			c.AdminAddr, c.AdminTokenFile = "192.0.2.2:9090", file
		})
		const good = "Authorization: Bearer a-token-of-operators"
		for path, method := range map[string]string{"/metrics": "GET", "/-/reload": "POST",
			"/debug/pprof/": "GET", "/nowhere": "GET"} {
			resp, body := r.admin.ask(t, method, path, "")
			require.Equal(t, 401, resp.StatusCode, path)
			require.Equal(t, `{"detail":"Not authenticated"}`, body)
			resp, _ = r.admin.ask(t, method, path, "",
				"Authorization: Bearer another-token-entirely")
			require.Equal(t, 401, resp.StatusCode, path)
		}
		resp, _ := r.admin.ask(t, "GET", "/metrics", "", good)
		require.Equal(t, 200, resp.StatusCode)
		for _, path := range []string{"/livez", "/readyz", "/health"} {
			status, _ := r.admin.get(t, path)
			require.Equal(t, 200, status, "a kubelet has no token: %s", path)
		}
		replaceFile(t, file, "the-next-token-of-theirs")
		resp, body := r.admin.ask(t, "POST", "/-/reload", "", good)
		require.Equal(t, 200, resp.StatusCode, body)
		resp, _ = r.admin.ask(t, "GET", "/metrics", "", good)
		require.Equal(t, 401, resp.StatusCode)
	})
}

// TestAdminPortNeedsToken listens on addresses that others can reach, and on some that they cannot.
func TestAdminPortNeedsToken(t *testing.T) {
	for _, addr := range []string{"192.0.2.2:9090", "10.0.0.1:9090", "0.0.0.0:9090", "[::]:9090",
		"[2001:db8::1]:9090", "[fe80::1]:9090"} {
		synctest.Test(t, func(t *testing.T) {
			n := inMemory()
			r := launch(t, n, func(c *server.Config) { c.AdminAddr = addr })
			require.ErrorContains(t, r.end(),
				"admin address "+addr+" can be reached from elsewhere: it needs -admin-token-file")
			for _, port := range []string{n.public, addr} {
				_, err := n.dial(port)
				require.Error(t, err, "something still listens on %s", port)
			}
		})
	}
	for _, addr := range []string{"127.0.0.1:9999", "127.8.8.8:9090", "[::1]:9090"} {
		synctest.Test(t, func(t *testing.T) {
			r := start(t, inMemory(), func(c *server.Config) { c.AdminAddr = addr })
			require.Equal(t, addr, r.AdminAddr)
			status, _ := r.admin.get(t, "/metrics")
			require.Equal(t, 200, status)
		})
	}
}

// requireRefusedByRate wants a 429 that says when to ask again, without the headers of a draft that
// the server once sent.
func requireRefusedByRate(t *testing.T, resp *http.Response, body, retryAfter string) {
	t.Helper()
	require.Equal(t, 429, resp.StatusCode, body)
	require.Equal(t, `{"detail":"Too Many Requests"}`, body)
	require.Equal(t, retryAfter, resp.Header.Get("Retry-After"))
	requireNoRateHeaders(t, resp)
}

func requireNoRateHeaders(t *testing.T, resp *http.Response) {
	t.Helper()
	require.NotContains(t, resp.Header, http.CanonicalHeaderKey("RateLimit"))
	require.NotContains(t, resp.Header, http.CanonicalHeaderKey("RateLimit-Policy"))
}

// callers starts a server that can be asked from any address.
func callers(t *testing.T, road road, change func(*server.Config)) (
	ask func(from, method, path string, headers ...string) (*http.Response, string)) {
	var peer string
	m := &memory{accept: func(c *memnet.Conn) net.Conn {
		return connFrom{c, netip.MustParseAddrPort(peer)}
	}}
	r := start(t, road.on(m.network()), change)
	return func(from, method, path string, headers ...string) (*http.Response, string) {
		r.client.CloseIdleConnections() // so that each request has a connection of its own
		peer = from
		body := ""
		if method == "POST" {
			body = aForecast
		}
		return r.public.ask(t, method, path, body, headers...)
	}
}

func TestRateLimit(t *testing.T) {
	onEveryRoad(t, func(t *testing.T, road road) {
		ask := callers(t, road, func(c *server.Config) {
			c.RateLimit, c.RateBurst = ratelimit.Rate{Requests: 2, Period: time.Second}, 3
		})
		wantOK := func(from, method, path, why string) {
			t.Helper()
			resp, body := ask(from, method, path)
			require.Equal(t, 200, resp.StatusCode, "%s: %s", why, body)
			requireNoRateHeaders(t, resp)
		}
		for range 3 {
			wantOK("192.0.2.1:1000", "POST", "/predict", "within the burst")
		}
		resp, body := ask("192.0.2.1:2000", "POST", "/predict")
		requireRefusedByRate(t, resp, body, "1")
		wantOK("192.0.2.2:1000", "POST", "/predict", "another client")
		wantOK("192.0.2.1:1000", "GET", "/livez", "a probe has no limit")
		for range 3 {
			wantOK("[2001:db8::1]:1", "GET", "/model", "within the burst")
		}
		resp, body = ask("[2001:db8::2]:1", "GET", "/model") // of the same network
		requireRefusedByRate(t, resp, body, "1")
		wantOK("[2001:db8:0:1::2]:1", "GET", "/model", "another network")
		time.Sleep(time.Second)
		wantOK("192.0.2.1:1000", "POST", "/predict", "after Retry-After")
	})
}

// TestRateLimitBehindProxies tells clients apart by what a proxy says of them, where the proxy is
// trusted.
func TestRateLimitBehindProxies(t *testing.T) {
	const proxy, stranger = "192.0.2.1:1000", "198.51.100.1:1000"
	onEveryRoad(t, func(t *testing.T, road road) {
		sender := func(trusted string) func(peer string, forwardedFor ...string) int {
			ask := callers(t, road, func(c *server.Config) {
				c.RateLimit = ratelimit.Rate{Requests: 1, Period: time.Hour}
				if trusted != "" {
					var err error
					c.TrustedProxies, err = ratelimit.ParseProxies(trusted)
					require.NoError(t, err)
				}
			})
			return func(peer string, forwardedFor ...string) int {
				for i, f := range forwardedFor {
					forwardedFor[i] = ratelimit.ForwardedFor + ": " + f
				}
				resp, _ := ask(peer, "POST", "/predict", forwardedFor...)
				return resp.StatusCode
			}
		}
		send := sender("192.0.2.0/28")
		require.Equal(t, 200, send(proxy, "203.0.113.1"))
		require.Equal(t, 200, send(proxy, "203.0.113.2"), "another client of the proxy")
		require.Equal(t, 429, send(proxy, "1.1.1.1, 203.0.113.1"),
			"the same, whatever it says itself")
		require.Equal(t, 429, send("192.0.2.2:1", "203.0.113.1", "192.0.2.1"),
			"by another way, in two headers")
		require.Equal(t, 429, send("203.0.113.1:1"), "on its own")
		require.Equal(t, 200, send(proxy), "the proxy itself")
		require.Equal(t, 200, send(stranger, "203.0.113.3"))
		require.Equal(t, 429, send(stranger, "203.0.113.4"), "a stranger is one client")

		send = sender("")
		require.Equal(t, 200, send(proxy, "203.0.113.1"))
		require.Equal(t, 429, send(proxy, "203.0.113.2"), "no proxy is trusted by default")
	})
}

func TestRateLimitByKey(t *testing.T) {
	onEveryRoad(t, func(t *testing.T, road road) {
		file := tempFile(t, "keys", keysOf("alice: key-of-alice", "alice: other-key-of-alice",
			"bob: key-of-bob"))
		r := start(t, road.on(inMemory()), func(c *server.Config) {
			c.KeysFile = file
			c.RateLimit = ratelimit.Rate{Requests: 2, Period: time.Hour}
		})
		send := func(key string) int {
			resp, _ := r.public.ask(t, "POST", "/predict", aForecast, "X-API-Key: "+key)
			return resp.StatusCode
		}
		require.Equal(t, 200, send("key-of-alice"))
		require.Equal(t, 200, send("other-key-of-alice"))
		require.Equal(t, 429, send("key-of-alice"), "two keys, one client")
		require.Equal(t, 200, send("key-of-bob"), "one address, two clients")
		require.Equal(t, 401, send("guess"))
		require.Equal(t, 401, send("another guess"))
		require.Equal(t, 429, send("a third guess"), "guessing is limited by address")
		require.Equal(t, 200, send("key-of-bob"))
	})
}
