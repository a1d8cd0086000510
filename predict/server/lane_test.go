package server

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict/accesslog"
	"tickercast/predict/forwarded"
	"tickercast/predict/internal/ratelimit"
)

// predictWith is a plain request with more headers.
func predictWith(headers, body string) string {
	return fmt.Sprintf("POST /predict HTTP/1.1\r\nHost: x\r\n%sContent-Type: "+
		"application/json\r\nContent-Length: %d\r\n\r\n%s", headers, len(body), body)
}

const (
	alice   = "Authorization: Bearer key-of-alice\r\n"
	bob     = "X-API-Key: key-of-bob\r\n"
	unsound = `{"ticker":"AAPL","days_ahead":31}`
)

// behind is a request without a key, so that it counts for an address.
func behind(forwardedFor string) string {
	return predictWith("X-Forwarded-For: "+forwardedFor+"\r\n", aForecast)
}

// guardedTalk is what clients send to a server with keys and a limit of 5 requests at once.
var guardedTalk = []string{
	predictWith(alice, aForecast), predictWith(bob, aForecast), predictWith("", aForecast),
	predictWith("Authorization: Bearer guess\r\n", aForecast),
	predictWith("X-API-Key:\r\n", aForecast),
	predictWith("Authorization: Basic key-of-alice\r\n", aForecast),
	predictWith("Authorization: Basic x\r\n"+bob, aForecast),
	predictWith("authorization:   BEARER   key-of-alice  \r\n", aForecast),
	predictWith("Authorization: Bearer key-of-alice x\r\n", aForecast),
	predictWith("Authorization: Bearer\r\n"+bob, aForecast),
	predictWith("Authorization: Bearer \r\n"+bob, aForecast),
	predictWith(alice+alice, aForecast), predictWith(alice+bob, aForecast),
	predictWith(bob+bob, aForecast),
	predictWith("Authorization:\tBearer key-of-alice\r\n", aForecast),
	predictWith("Authorization: Bearer key-of-alice\x00\r\n", aForecast),
	predictWith("Authorization: Bearer key-of-alicé\r\n", aForecast),
	predictWith("Authorization: Bearer key-of-\r\n alice\r\n", aForecast),
	predictWith(alice, unsound), predictWith("", unsound), predictWith(alice, `{"ticker":"NOPE"}`),
	predictWith(alice, `{`), predictWith(alice, ""),
	predictWith(alice+"Connection: close\r\n", aForecast) + predictWith(alice, aForecast),
	predictWith(alice+"X-Request-Id: mine\r\nTraceparent: "+aTrace+"\r\n", aForecast),
	predictWith(alice+"Origin: https://a.example\r\n", aForecast),
	// The bucket runs dry: in the lane, over to net/http, and in net/http from the start.
	strings.Repeat(predictWith(alice, aForecast), 8), strings.Repeat(predictWith("", aForecast), 8),
	strings.Repeat(predictWith(alice, unsound), 8),
	strings.Repeat(predictWith(alice, aForecast), 3) +
		strings.Repeat(predictWith(alice, unsound), 4),
	strings.Repeat(predictWith(alice, aForecast)+predictWith("", aForecast), 7),
	predictWith(alice, unsound) + strings.Repeat(predictWith(alice, aForecast), 7) +
		predictWith(bob, aForecast),
	predictWith(alice, aForecast) + predictWith(bob, aForecast) + predictWith(alice, aForecast) +
		predictWith("X-API-Key: key-of-eve\r\n", aForecast),
	// Behind proxies: one client by two ways, another, one that lies, what is no address, and
	// several headers.
	behind("203.0.113.1") + behind("203.0.113.1, 10.1.1.1") + behind("203.0.113.2") +
		behind("203.0.113.1, 203.0.113.2") + behind("unknown") + behind("203.0.113.1:80"),
	behind("203.0.113.1\r\nX-Forwarded-For: 10.1.1.1") + behind("203.0.113.1") + behind(" ") +
		behind("2001:db8::1") + behind("[2001:db8::2]:80, 10.1.1.1 "),
	behind("203.0.113.1") + predictWith("X-API-Key: a\r\nX-Forwarded-For: 203.0.113.1\r\n",
		aForecast) + predictWith("X-Forwarded-For: 203.0.113.1\r\n"+alice, aForecast) +
		behind("203.0.113.1"),
	strings.Repeat("GET /model HTTP/1.1\r\nHost: x\r\n"+alice+"\r\n"+predictWith(alice, aForecast),
		4),
}

// pathPair is a server twice, with and without the fast lane, both with keys, limits and CORS, and
// their clock.
type pathPair struct {
	servers   [2]*serving
	listeners [2]*simListener
	logs      [2]bytes.Buffer
	clock     atomic.Int64 // seconds
}

func newPathPair(t testing.TB, log accesslog.Rate) *pathPair {
	p := new(pathPair)
	// the clients of simListener are there
	proxies, err := forwarded.Parse("192.0.2.0/24,10.0.0.0/8")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "keys")
	writePrices(t, file, []byte(hashed("key-of-alice")+" alice\n"+hashed("key-of-bob")+" bob\n"))
	for i := range p.servers {
		f := &serveFlags{fastlane: i == 0, apiKeys: file,
			rate:        ratelimit.Rate{Requests: 5, Period: time.Minute},
			corsOrigins: []string{"https://a.example"}, proxies: proxies}
		s := f.mustServe(t)
		limiter, err := ratelimit.New[client](ratelimit.Config{Rate: f.rate,
			Now: func() time.Time { return time.Unix(p.clock.Load(), 0) }})
		require.NoError(t, err)
		s.guard.limiter = limiter
		s.access = accesslog.New(slog.NewJSONHandler(&p.logs[i], nil), log)
		p.servers[i], p.listeners[i] = s, newSimListener()
		public := f.newPublicServer(s)
		s.serveOn(t, f, p.listeners[i], public)
		t.Cleanup(s.service.Close)
	}
	return p
}

// talk sends input to one of the servers in pieces, and returns what comes back.
func (p *pathPair) talk(t *testing.T, i int, input string, piece int) string {
	t.Helper()
	c, err := p.listeners[i].dial(nil)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(30*time.Second)))
	go func() {
		for rest := input; len(rest) > 0; {
			n, err := c.Write([]byte(rest[:min(piece, len(rest))]))
			if err != nil {
				return
			}
			rest = rest[n:]
		}
		c.CloseWrite()
	}()
	out, err := io.ReadAll(c)
	require.NoError(t, err)
	return anonymous(string(out))
}

// compare sends input to both, each with full buckets.
func (p *pathPair) compare(t *testing.T, input string, piece int) {
	t.Helper()
	p.clock.Add(3600)
	got, want := p.talk(t, 0, input, piece), p.talk(t, 1, input, piece)
	if got != want {
		t.Errorf("pieces of %d of %q:\nwith the lane    %q\nwithout the lane %q", piece, input, got,
			want)
	}
}

// counted is what the metrics say of how many requests there were and what became of them.
func (p *pathPair) counted(i int) string {
	text := string(p.servers[i].registry.AppendText(nil))
	lines := regexp.MustCompile(`(?m)^(http_requests_total|http_requests_rejected_total|predictions_total|http_request_duration_seconds_count|rate_limit_clients)\b.*$`)
	return strings.Join(lines.FindAllString(text, -1), "\n")
}

// logged is the access log without what differs from answer to answer.
func (p *pathPair) logged(i int) string {
	differs := regexp.MustCompile(`"time":"[^"]*"|"id":"[0-9a-f]{32}"|"duration_us":\d+`)
	return differs.ReplaceAllString(p.logs[i].String(), "-")
}

// TestSameUnderGuard: with keys and limits the lane answers as net/http does, and each request is
// counted, logged and taken from its client's rate once, whichever of them answered it.
func TestSameUnderGuard(t *testing.T) {
	p := newPathPair(t, accesslog.All)
	for _, input := range guardedTalk {
		for _, piece := range []int{1 << 20, 11} {
			p.compare(t, input, piece)
		}
	}
	got, want := p.counted(0), p.counted(1)
	require.Equal(t, want, got)
	require.Equal(t, p.logged(1), p.logged(0))
	require.Contains(t, p.logged(0), `"client":"alice"`)
	for _, reason := range []string{"key", "rate"} {
		require.Regexp(t, `http_requests_rejected_total{reason="`+reason+`"} [1-9]`, got)
	}
}

// TestLaneAnswersUnderGuard makes sure that the comparison is not one of net/http with itself.
func TestLaneAnswersUnderGuard(t *testing.T) {
	p := newPathPair(t, accesslog.Off)
	out := p.talk(t, 0, strings.Repeat(predictWith(alice, aForecast), 6)+predictWith("",
		aForecast)+predictWith(bob, aForecast), 1<<20)
	require.Equal(t, 6, strings.Count(out, "HTTP/1.1 200 OK\r\n"), out)
	require.Equal(t, 1, strings.Count(out, "HTTP/1.1 429 Too Many Requests\r\n"), out)
	require.Equal(t, 1, strings.Count(out, "HTTP/1.1 401 Unauthorized\r\n"), out)
	text := string(p.servers[0].registry.AppendText(nil))
	require.Contains(t, text, "\nfastlane_handed_over_total 0\n")
}

func FuzzSameUnderGuard(f *testing.F) {
	for _, input := range guardedTalk {
		f.Add(input, 50)
	}
	p := newPathPair(f, accesslog.Off)
	f.Fuzz(func(t *testing.T, input string, piece int) {
		if len(input) > 20<<10 {
			return
		}
		p.compare(t, input, max(piece, 1))
	})
}

// aHit serves on loopback and returns what sends one request and reads its answer, without an
// allocation of its own.
func aHit(t testing.TB, f *serveFlags, request string) (once func()) {
	s := f.mustServe(t)
	t.Cleanup(s.service.Close)
	c, err := net.Dial("tcp", s.listen(t, f))
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	send, buf := []byte(request), make([]byte, 64<<10)
	once = func() {
		if _, err := c.Write(send); err != nil {
			t.Fatal(err)
		}
		n, err := c.Read(buf)
		if err != nil || n < 200 || string(buf[:15]) != "HTTP/1.1 200 OK" || buf[n-1] != ']' {
			t.Fatalf("%q, %v", buf[:n], err)
		}
	}
	once()
	return once
}

// guardedFlags are those of a server for many clients with a key and a limit.
func guardedFlags(t testing.TB, lane bool) *serveFlags {
	var keys strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&keys, "%s client-%d\n", hashed(fmt.Sprint("key-of-client-", i)), i)
	}
	file := filepath.Join(t.TempDir(), "keys")
	writePrices(t, file, []byte(keys.String()+hashed("key-of-alice")+" alice\n"))
	return &serveFlags{fastlane: lane, apiKeys: file,
		rate: ratelimit.Rate{Requests: 1_000_000_000, Period: time.Second}}
}

func TestGuardedHitDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget at random")
	}
	for name, header := range map[string]string{"Authorization": alice,
		"X-API-Key": "X-API-Key: key-of-client-7\r\n"} {
		once := aHit(t, guardedFlags(t, true), predictWith(header, aForecast))
		// Rounded down: a Date a second, or a buffer that the collector has taken from the pool, is
		// not of a hit.
		if got := testing.AllocsPerRun(2000, once); got != 0 {
			t.Errorf("%s: got %v allocations a hit, want 0", name, got)
		}
	}
}

// BenchmarkGuardedHit is a hit over loopback, client included, with a key of a thousand and a
// limit, and without.
func BenchmarkGuardedHit(b *testing.B) {
	for _, lane := range []bool{true, false} {
		for _, guarded := range []bool{false, true} {
			f, request := &serveFlags{fastlane: lane}, predictWith("", aForecast)
			if guarded {
				f, request = guardedFlags(b, lane), predictWith(alice, aForecast)
			}
			b.Run(fmt.Sprintf("lane=%v/guard=%v", lane, guarded), func(b *testing.B) {
				once := aHit(b, f, request)
				b.ReportAllocs()
				for b.Loop() {
					once()
				}
			})
		}
	}
}
