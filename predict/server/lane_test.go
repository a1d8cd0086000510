package server_test

import (
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict/internal/logging"
	"tickercast/predict/internal/ratelimit"
	"tickercast/predict/server"
)

// predictWith is a plain request with more headers.
func predictWith(headers, body string) string {
	return rawPost(fmt.Sprintf("%s%sContent-Length: %d\r\n", headers, isJSON, len(body)), body)
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

// conversations are what clients send to a server with keys and a limit of 5 requests at once.
var conversations = []string{
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
	// Behind proxies: one client by two ways, another, one that lies, something that is no address,
	// and several headers.
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

// pathPair is a server twice, with and without the fast lane, both with keys, limits, CORS and
// trusted proxies, of which their clients are some.
type pathPair struct {
	servers [2]*running
	access  [2]lockedBuffer
}

func newPathPair(t testing.TB, keys string, tls bool, change func(*server.Config)) *pathPair {
	p := new(pathPair)
	proxies, err := ratelimit.ParseProxies("192.0.2.0/24,10.0.0.0/8")
	require.NoError(t, err)
	for i := range p.servers {
		way := road{lane: i == 0, tls: tls}
		p.servers[i] = start(t, way.on(inMemory()), func(c *server.Config) {
			c.CacheTTL = 10_000 * time.Hour       // batches are plain if they are cached
			c.KeysFile, c.WatchInterval = keys, 0 // hours pass here
			c.RateLimit = ratelimit.Rate{Requests: 5, Period: time.Minute}
			c.CORSOrigins = []string{"https://a.example"}
			c.TrustedProxies = proxies
			c.AccessLog = slog.NewJSONHandler(&p.access[i], nil)
			c.AccessRate = logging.All
			if change != nil {
				change(c)
			}
		})
	}
	return p
}

// pairKeys writes the file of keys of a pathPair.
func pairKeys(t testing.TB) (file string) {
	return tempFile(t, "keys", keysOf("alice: key-of-alice", "bob: key-of-bob"))
}

// maxAges differ, as the cache keeps each answer for another time.
var maxAges = regexp.MustCompile(`(max-age|ttl)=[1-9]\d*`)

// talk sends input to one of the servers in pieces, and returns what comes back.
func (p *pathPair) talk(t testing.TB, i int, input string, size int) string {
	t.Helper()
	c := p.servers[i].public.connect(t)
	defer c.Close()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		writeInPieces(c, input, size)
		time.Sleep(time.Second) // net/http may give up a batch whose client says no more
		c.(interface{ CloseWrite() error }).CloseWrite()
	}()
	out, err := io.ReadAll(c)
	require.NoError(t, err)
	<-sent
	return maxAges.ReplaceAllString(anonymous(string(out)), "$1=")
}

// compare sends input to both, each with full buckets.
func (p *pathPair) compare(t *testing.T, input string, size int) {
	t.Helper()
	time.Sleep(time.Hour)
	got, want := p.talk(t, 0, input, size), p.talk(t, 1, input, size)
	if got != want {
		t.Errorf("pieces of %d of %q:\nwith the lane    %q\nwithout the lane %q", size, input, got,
			want)
	}
}

var countedLines = regexp.MustCompile(`(?m)^(http_requests_total|http_requests_rejected_total|` +
	`predictions_total|http_request_duration_seconds_count|rate_limit_clients)\b.*$`)

// counted is what the metrics say of how many requests there were and what became of them.
func (p *pathPair) counted(i int) string {
	return strings.Join(countedLines.FindAllString(p.servers[i].metrics(), -1), "\n")
}

var loggedOnce = regexp.MustCompile(`"time":"[^"]*"|"id":"[0-9a-f]{32}"|"duration_us":\d+`)

// logged is the access log without what differs from answer to answer.
func (p *pathPair) logged(i int) string {
	return loggedOnce.ReplaceAllString(p.access[i].String(), "-")
}

// TestSameWithAndWithoutLane: with keys and limits the lane answers as net/http does, and each
// request is counted, logged and taken from its client's rate once, whichever of them answers it.
func TestSameWithAndWithoutLane(t *testing.T) {
	for _, tls := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			compareAll(t, newPathPair(t, pairKeys(t), tls, nil))
		})
	}
}

func compareAll(t *testing.T, p *pathPair) {
	for _, input := range slices.Concat(conversations, otherRoutes, otherFields) {
		for _, size := range []int{1 << 20, 11} {
			if testing.Short() && size > 11 && p.servers[0].public.road.tls {
				continue // a record is a piece anyway
			}
			p.compare(t, input, size)
		}
	}
	got, want := p.counted(0), p.counted(1)
	require.Equal(t, want, got)
	require.Equal(t, p.logged(1), p.logged(0))
	require.Contains(t, p.logged(0), `"key":"alice"`)
	for _, reason := range []string{"key", "rate"} {
		require.Regexp(t, `http_requests_rejected_total{reason="`+reason+`"} [1-9]`, got)
	}
}

// TestLaneAnswers makes sure that the comparison is not one of net/http with itself.
func TestLaneAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPathPair(t, pairKeys(t), false, nil)
		out := p.talk(t, 0, strings.Repeat(predictWith(alice, aForecast), 6)+
			predictWith("", aForecast)+predictWith(bob, aForecast), 1<<20)
		require.Equal(t, 6, strings.Count(out, "HTTP/1.1 200 OK\r\n"), out)
		require.Equal(t, 1, strings.Count(out, "HTTP/1.1 429 Too Many Requests\r\n"), out)
		require.Equal(t, 1, strings.Count(out, "HTTP/1.1 401 Unauthorized\r\n"), out)
		require.Equal(t, "0", p.servers[0].metric("fastlane_handed_over_total"))
	})
}

// FuzzSameWithAndWithoutLane starts both servers anew for each input: they live in its time.
func FuzzSameWithAndWithoutLane(f *testing.F) {
	for _, input := range slices.Concat(conversations, otherRoutes, otherFields) {
		f.Add(input, 50)
	}
	keys, d := pairKeys(f), near(f, 100, "AAPL")
	f.Fuzz(func(t *testing.T, input string, size int) {
		// A batch or an inference ends early when its client seems to have left. Here clients close
		// their sending side, and which the server sees first is chance.
		if len(input) > 20<<10 || strings.Contains(input, "batch") ||
			strings.Contains(input, "infer") {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			p := newPathPair(t, keys, size%2 > 0, func(c *server.Config) { c.Load = d.load })
			p.compare(t, input, max(size, 1))
			p.compare(t, input, max(size, 1)) // the cache has the answers now
		})
	})
}

// TestFaultIsCountedOnce: a forecast that fails is answered, counted and logged with the request's
// id in the same way on both paths.
func TestFaultIsCountedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPathPair(t, pairKeys(t), false, func(c *server.Config) {
			c.Load = loadBroken(t)
		})
		var answers, faults [2]string
		for i, r := range p.servers {
			answers[i] = p.talk(t, i, predictWith(alice+"X-Request-Id: mine\r\n", aForecast)+
				predictWith(alice, aForecast), 1<<20)
			faults[i] = loggedOnce.ReplaceAllString(r.log.String(), "-")
			require.Contains(t, p.counted(i), "predictions_total 2\n")
		}
		require.Equal(t, answers[1], answers[0])
		require.Equal(t, 2, strings.Count(answers[0], "HTTP/1.1 500 Internal Server Error\r\n"),
			answers[0])
		require.Equal(t, p.counted(1), p.counted(0))
		require.Equal(t, p.logged(1), p.logged(0))
		require.Equal(t, faults[1], faults[0])
		require.Contains(t, faults[0], `"id":"mine"`)
		require.Equal(t, "0", p.servers[0].metric("fastlane_handed_over_total"))
	})
}
