package server

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict/forwarded"
	"tickercast/predict/internal/ratelimit"
)

// ask sends a request with headers, each "Name: value", and returns the answer with its body read.
func ask(t *testing.T, method, url, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	_, text := readAll(t, resp)
	return resp, text
}

func hashed(key string) string {
	h := sha256.Sum256([]byte(key))
	return hex.EncodeToString(h[:])
}

const aForecast = `{"ticker":"AAPL"}`

func TestAPIKeys(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	writePrices(t, file, []byte(hashed("key-of-alice")+" alice\n"+hashed("key-of-bob")+" bob\n"))
	p := start(t, "-api-keys", file, "-watch", "20ms", "-access-log", "off")
	url := "http://" + p.addr
	for _, tt := range []struct {
		header, challenge, detail string
		status                    int
	}{
		{"X: y", "Bearer", "Not authenticated", 401},
		{"Authorization: Basic key-of-alice", "Bearer", "Not authenticated", 401},
		{"Authorization: Bearer key-of-carol", `Bearer error="invalid_token"`, "Invalid API key",
			401},
		{"X-API-Key: " + hashed("key-of-alice"), `Bearer error="invalid_token"`, "Invalid API key",
			401},
		{"Authorization: Bearer key-of-alice", "", "", 200},
		{"X-API-Key: key-of-bob", "", "", 200},
	} {
		resp, body := ask(t, "POST", url+"/predict", aForecast, tt.header)
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
		status, body := get(t, url+path)
		require.Equal(t, want, status, "%s: %s", path, body)
	}
	resp, _ := ask(t, "GET", url+"/predict", "")
	require.Equal(t, 405, resp.StatusCode, "which routes there are is no secret")
	resp, _ = ask(t, "POST", url+"/predict", strings.Repeat(" ", 20<<10))
	require.True(t, resp.Close, "a long body is not read for somebody without a key")

	// A bad file changes nothing, and is told by line but not by content.
	writePrices(t, file, []byte(hashed("key-of-alice")+"\nkey-of-dave\n"))
	eventually(t, 5*time.Second,
		func() bool { return strings.Contains(p.logged(), "reload refused") })
	require.Contains(t, p.logged(), "keys:2: ")
	require.NotContains(t, p.logged(), "key-of-dave")
	resp, _ = ask(t, "POST", url+"/predict", aForecast, "X-API-Key: key-of-bob")
	require.Equal(t, 200, resp.StatusCode)
	// A good one counts at once.
	writePrices(t, file, []byte(hashed("key-of-alice")))
	require.NoError(t, p.Process.Signal(syscall.SIGHUP))
	eventually(t, 5*time.Second, func() bool {
		resp, _ := ask(t, "POST", url+"/predict", aForecast, "X-API-Key: key-of-bob")
		return resp.StatusCode == 401
	})
	resp, _ = ask(t, "POST", url+"/predict", aForecast, "X-API-Key: key-of-alice")
	require.Equal(t, 200, resp.StatusCode)
	_, text := get(t, "http://"+p.admin+"/metrics")
	require.Contains(t, text, `http_requests_rejected_total{reason="key"}`)
}

func TestBadCredentials(t *testing.T) {
	dir := t.TempDir()
	path := func(name, data string) string {
		file := filepath.Join(dir, name)
		writePrices(t, file, []byte(data))
		return file
	}
	for _, tt := range []struct {
		status int
		want   string
		flags  []string
	}{
		{1, "keys:1: ", []string{"-api-keys", path("keys", "not a hash")}},
		{1, "no/such/keys", []string{"-api-keys", "no/such/keys"}},
		{1, "token: ", []string{"-admin-token-file", path("token", "short")}},
		{2, "-tls-cert and -tls-key go together", []string{"-tls-cert", "x.pem"}},
		{1, "x.pem", []string{"-tls-cert", "x.pem", "-tls-key", "x.key"}},
		{1, "certificate", []string{"-tls-cert", path("cert", "noise"), "-tls-key",
			path("key", "noise")}},
		{1, "needs -admin-token-file", []string{"-admin-addr", "0.0.0.0:0"}},
		{1, "needs -admin-token-file", []string{"-admin-addr", ":0"}},
		{2, `rate "lots"`, []string{"-rate-limit", "lots"}},
		{2, `origin "example.com"`, []string{"-cors-origins", "example.com"}},
		{2, `rate "sometimes"`, []string{"-access-log", "sometimes"}},
	} {
		status, _, stderr := runCommand(t, nil,
			append([]string{"serve", "-addr", "127.0.0.1:0", "-admin-addr", ""}, tt.flags...)...)
		require.Equal(t, tt.status, status, "%v: %s", tt.flags, stderr)
		require.Contains(t, stderr, tt.want)
		require.Equal(t, 1, strings.Count(stderr, "\n"), "one line: %q", stderr)
	}
}

func TestAdminToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	writePrices(t, file, []byte("a-token-of-operators\n"))
	p := start(t, "-admin-addr", "0.0.0.0:0", "-admin-token-file", file)
	url := "http://127.0.0.1" + p.admin[strings.LastIndexByte(p.admin, ':'):]
	for path, method := range map[string]string{"/metrics": "GET", "/-/reload": "POST",
		"/debug/pprof/": "GET", "/nowhere": "GET"} {
		resp, body := ask(t, method, url+path, "")
		require.Equal(t, 401, resp.StatusCode, path)
		require.Equal(t, `{"detail":"Not authenticated"}`, body)
		resp, _ = ask(t, method, url+path, "", "Authorization: Bearer another-token-entirely")
		require.Equal(t, 401, resp.StatusCode, path)
	}
	resp, _ := ask(t, "GET", url+"/metrics", "", "Authorization: Bearer a-token-of-operators")
	require.Equal(t, 200, resp.StatusCode)
	for _, path := range []string{"/livez", "/readyz", "/health"} {
		resp, _ = ask(t, "GET", url+path, "")
		require.Equal(t, 200, resp.StatusCode, "a kubelet has no token: %s", path)
	}
	writePrices(t, file, []byte("the-next-token-of-theirs"))
	resp, body := ask(t, "POST", url+"/-/reload", "", "Authorization: Bearer a-token-of-operators")
	require.Equal(t, 200, resp.StatusCode, body)
	resp, _ = ask(t, "GET", url+"/metrics", "", "Authorization: Bearer a-token-of-operators")
	require.Equal(t, 401, resp.StatusCode)
}

// TestRateLimit has the time of its own world.
func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &serveFlags{rate: ratelimit.Rate{Requests: 2, Period: time.Second}, burst: 3}
		s := f.mustServe(t)
		defer s.service.Close()
		handler := s.handler()
		send := func(method, path, addr string) *httptest.ResponseRecorder {
			req := httptest.NewRequestWithContext(t.Context(), method, path,
				strings.NewReader(aForecast))
			req.Header.Set("Content-Type", "application/json")
			req.RemoteAddr = addr
			rec := httptest.NewRecorder()
			handler.ServeHTTP(rec, req)
			return rec
		}
		for want := 2; want >= 0; want-- {
			rec := send("POST", "/predict", "192.0.2.1:1000")
			require.Equal(t, 200, rec.Code)
			require.Equal(t, `"default";q=3;w=2`, rec.Header().Get("RateLimit-Policy"))
			require.Contains(t, rec.Header().Get("RateLimit"),
				fmt.Sprintf(`"default";r=%d;t=`, want))
		}
		rec := send("POST", "/predict", "192.0.2.1:2000")
		require.Equal(t, 429, rec.Code)
		require.Equal(t, `{"detail":"Too Many Requests"}`, rec.Body.String())
		require.Equal(t, "1", rec.Header().Get("Retry-After"))
		require.Equal(t, `"default";r=0;t=2`, rec.Header().Get("RateLimit"))
		require.Equal(t, 200, send("POST", "/predict", "192.0.2.2:1000").Code, "another client")
		require.Equal(t, 200, send("GET", "/livez", "192.0.2.1:1000").Code, "a probe has no limit")
		for range 3 {
			require.Equal(t, 200, send("GET", "/model", "[2001:db8::1]:1").Code)
		}
		require.Equal(t, 429, send("GET", "/model", "[2001:db8::2]:1").Code,
			"the same network of one customer")
		require.Equal(t, 200, send("GET", "/model", "[2001:db8:0:1::2]:1").Code)
		time.Sleep(time.Second)
		require.Equal(t, 200, send("POST", "/predict", "192.0.2.1:1000").Code,
			"after the wait that was told")
	})
}

// TestRateLimitBehindProxies tells clients apart by what a proxy says of them, where the proxy is
// known.
func TestRateLimitBehindProxies(t *testing.T) {
	const proxy, stranger = "192.0.2.1:1000", "198.51.100.1:1000"
	sender := func(f *serveFlags) func(peer string, forwardedFor ...string) int {
		f.rate = ratelimit.Rate{Requests: 1, Period: time.Hour}
		s := f.mustServe(t)
		t.Cleanup(s.service.Close)
		handler := s.handler()
		return func(peer string, forwardedFor ...string) int {
			req := httptest.NewRequestWithContext(t.Context(), "GET", "/model", nil)
			req.RemoteAddr, req.Header["X-Forwarded-For"] = peer, forwardedFor
			rec := httptest.NewRecorder()
			handler.ServeHTTP(rec, req)
			return rec.Code
		}
	}
	networks, err := forwarded.Parse("192.0.2.0/28")
	require.NoError(t, err)
	send := sender(&serveFlags{proxies: networks})
	require.Equal(t, 200, send(proxy, "203.0.113.1"))
	require.Equal(t, 200, send(proxy, "203.0.113.2"), "another client of the proxy")
	require.Equal(t, 429, send(proxy, "1.1.1.1, 203.0.113.1"), "the same, whatever it says itself")
	require.Equal(t, 429, send("192.0.2.2:1", "203.0.113.1", "192.0.2.1"),
		"by another way, in two headers")
	require.Equal(t, 429, send("203.0.113.1:1"), "on its own")
	require.Equal(t, 200, send(proxy), "the proxy itself")
	require.Equal(t, 200, send(stranger, "203.0.113.3"))
	require.Equal(t, 429, send(stranger, "203.0.113.4"), "who is not trusted is one client")

	send = sender(new(serveFlags))
	require.Equal(t, 200, send(proxy, "203.0.113.1"))
	require.Equal(t, 429, send(proxy, "203.0.113.2"), "nobody is trusted unless told")
}

func TestRateLimitByKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	writePrices(t, file,
		[]byte(hashed("key-of-alice")+" alice\n"+hashed("other-key-of-alice")+" alice\n"+hashed("key-of-bob")+" bob\n"))
	s := (&serveFlags{rate: ratelimit.Rate{Requests: 2, Period: time.Hour},
		apiKeys: file}).mustServe(t)
	defer s.service.Close()
	handler := s.handler()
	send := func(key string) int {
		req := httptest.NewRequestWithContext(t.Context(), "GET", "/model", nil)
		req.Header.Set("X-API-Key", key)
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, req)
		return rec.Code
	}
	require.Equal(t, 200, send("key-of-alice"))
	require.Equal(t, 200, send("other-key-of-alice"))
	require.Equal(t, 429, send("key-of-alice"), "two keys, one client")
	require.Equal(t, 200, send("key-of-bob"), "one address, two clients")
	require.Equal(t, 401, send("guess"))
	require.Equal(t, 401, send("another guess"))
	require.Equal(t, 429, send("a third guess"), "guessing is limited by address")
	require.Equal(t, 200, send("key-of-bob"))
}

func TestCORS(t *testing.T) {
	p := start(t, "-cors-origins", "https://a.example")
	url := "http://" + p.addr + "/predict"
	preflight := []string{"Access-Control-Request-Method: POST",
		"Access-Control-Request-Headers: content-type"}
	resp, body := ask(t, "OPTIONS", url, "", append(preflight, "Origin: https://a.example")...)
	require.Equal(t, 204, resp.StatusCode, body)
	require.Equal(t, "https://a.example", resp.Header.Get("Access-Control-Allow-Origin"))
	require.NotEmpty(t, resp.Header.Get(requestID))
	resp, body = ask(t, "OPTIONS", url, "", append(preflight, "Origin: https://b.example")...)
	require.Equal(t, 400, resp.StatusCode)
	require.Equal(t, `{"detail":"Disallowed CORS origin"}`, body)
	resp, _ = ask(t, "OPTIONS", url, "")
	require.Equal(t, 405, resp.StatusCode)
	resp, _ = ask(t, "POST", url, aForecast, "Origin: https://a.example")
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, "https://a.example", resp.Header.Get("Access-Control-Allow-Origin"))
	resp, _ = ask(t, "POST", url, aForecast) // by the fast lane
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, "Origin", resp.Header.Get("Vary"))
	resp, _ = ask(t, "POST", url, `{}`) // by net/http
	require.Equal(t, "Origin", resp.Header.Get("Vary"))

	p = start(t)
	resp, body = ask(t, "OPTIONS", "http://"+p.addr+"/predict", "",
		append(preflight, "Origin: https://a.example")...)
	require.Equal(t, 405, resp.StatusCode, "as long as nobody asked for CORS")
	require.Equal(t, "POST", resp.Header.Get("Allow"))
	require.Equal(t, `{"detail":"Method Not Allowed"}`, body)
}

// mustServe is a server of the embedded world with these flags, silent and without a listener.
func (f *serveFlags) mustServe(t testing.TB) *serving {
	t.Helper()
	w, err := source{}.load(0)
	require.NoError(t, err)
	s, err := f.newServing(w, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return s
}
