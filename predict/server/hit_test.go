package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict/internal/ratelimit"
	"tickercast/predict/server"
)

// startWarm starts a server on loopback with the answers to hits in its cache.
func startWarm(t testing.TB, road road) *running {
	r := start(t, road.on(loopback()), withKeys(t))
	resp, _ := r.public.ask(t, "POST", "/predict", aForecast, "X-API-Key: key-of-alice")
	require.Equal(t, 200, resp.StatusCode)
	return r
}

// hitter returns what sends a server one request and reads the answer, which must come at once, or
// in the parts of 4 KiB that net/http writes. It makes no allocation of its own, except over TLS.
func hitter(t testing.TB, r *running, request string) (once func()) {
	c := r.public.connect(t)
	require.NoError(t, c.SetDeadline(time.Time{}))
	send, buf := []byte(request), make([]byte, 64<<10)
	once = func() {
		if _, err := c.Write(send); err != nil {
			t.Fatal(err)
		}
		n, err := c.Read(buf)
		if more := 0; err == nil && n >= 4<<10 && buf[n-1] != ']' {
			more, err = c.Read(buf[n:])
			n += more
		}
		if err != nil || n < 200 || string(buf[:11]) != "HTTP/1.1 20" &&
			string(buf[:11]) != "HTTP/1.1 30" || buf[n-1] != ']' && buf[n-1] != '}' &&
			buf[n-1] != '\n' {
			t.Fatalf("%q, %v", buf[:n], err)
		}
	}
	once()
	return once
}

// withKeys makes a server one for many clients with a key and a limit.
func withKeys(t testing.TB) func(*server.Config) {
	lines := []string{"alice: key-of-alice"}
	for i := range 1000 {
		lines = append(lines, fmt.Sprintf("client-%d: key-of-client-%[1]d", i))
	}
	file := tempFile(t, "keys", keysOf(lines...))
	return func(c *server.Config) {
		c.KeysFile = file
		c.RateLimit = ratelimit.Rate{Requests: 1_000_000_000, Period: time.Second}
	}
}

// hits are requests of which the second one is a hit in the fast lane, with the headers given.
var hits = map[string]func(headers string) string{
	"post":  func(h string) string { return predictWith(h, aForecast) },
	"month": func(h string) string { return predictWith(h, aMonth) },
	"get":   func(h string) string { return getWith("/predict/AAPL?days_ahead=5", h) },
	"held":  func(h string) string { return getWith("/predict/AAPL", h+"If-None-Match: *\r\n") },
	"batch": func(h string) string {
		return batchWith(h, batchOf(strings.Split(strings.Repeat(aForecast+" ", 9)+aForecast, " ")...))
	},
	"health": func(h string) string { return getWith("/health", h) },
}

func TestHitDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget at random")
	}
	for _, secure := range []bool{false, true} {
		most := 0.0
		if secure {
			most = 2 // package tls makes one when it reads a record: here and in the client
		}
		r := startWarm(t, road{lane: true, tls: secure})
		for name, request := range hits {
			for _, headers := range []string{alice, "X-API-Key: key-of-client-7\r\n"} {
				once := hitter(t, r, request(headers))
				// Rounded down: a Date a second, or a buffer that the collector has taken from the
				// pool, is not of a hit.
				if got := testing.AllocsPerRun(1000, once); got > most {
					t.Errorf("%s, TLS %v: got %v allocations a hit, want %v", name, secure, got, most)
				}
			}
		}
	}
}

// TestHistoryAllocatesLittle: the closes, what they make, and the answer.
func TestHistoryAllocatesLittle(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget at random")
	}
	r := startWarm(t, road{lane: true})
	once := hitter(t, r, predictWith(alice, own(`,"as_of":"2026-02-18","days_ahead":5`)))
	if got := testing.AllocsPerRun(1000, once); got > 6 {
		t.Errorf("got %v allocations a request, want 6 at most", got)
	}
}

// BenchmarkHit is a hit over loopback, client included: of each kind with a key of a thousand and a
// limit, in the lane and without, and over TLS.
func BenchmarkHit(b *testing.B) {
	for _, way := range []road{{lane: true}, {}, {lane: true, tls: true}, {tls: true}} {
		r := startWarm(b, way)
		for name, request := range hits {
			b.Run(fmt.Sprintf("%s/%v", name, way), func(b *testing.B) {
				once := hitter(b, r, request(alice))
				b.ReportAllocs()
				for b.Loop() {
					once()
				}
			})
		}
	}
}

// history are closes that take longer to read than the end of a connection takes to be seen.
var history = "[" + strings.Repeat("100,101,", 999) + "100,101]"

// TestHalfClosed closes the sending side right behind a request for one forecast: the client wants
// its answer all the same. The server may see the end at any moment, so it is done often.
func TestHalfClosed(t *testing.T) {
	rounds := 200
	if raceEnabled {
		rounds = 30
	}
	for name, body := range map[string]string{
		"plain":   aForecast,
		"levels":  `{"ticker":"AAPL","levels":[0.9]}`,
		"history": `{"ticker":"X","history":` + history + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			onEveryRoad(t, func(t *testing.T, road road) {
				r := start(t, road.on(inMemory()), nil)
				for i := range rounds {
					c := r.public.connect(t)
					request := predictWith("", body)
					if i%2 > 0 { // all but the last byte has been read before
						io.WriteString(c, request[:len(request)-1])
						synctest.Wait()
						request = request[len(request)-1:]
					}
					_, err := io.WriteString(c, request)
					require.NoError(t, err)
					require.NoError(t, c.(interface{ CloseWrite() error }).CloseWrite())
					resp, err := http.ReadResponse(bufio.NewReader(c), nil)
					require.NoError(t, err)
					status, answer := readAll(t, resp)
					require.Equal(t, 200, status, answer)
					require.True(t, strings.HasPrefix(answer, "["), answer)
				}
			})
		})
	}
}
