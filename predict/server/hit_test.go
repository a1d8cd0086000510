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

// hitter starts a server on loopback and returns what sends it one request and reads the answer,
// without an allocation of its own.
func hitter(t testing.TB, change func(*server.Config), request string) (once func()) {
	c := start(t, loopback(), change).public.connect(t)
	require.NoError(t, c.SetDeadline(time.Time{}))
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

// withKeys makes a server one for many clients with a key and a limit.
func withKeys(t testing.TB, lane bool) func(*server.Config) {
	lines := []string{"alice: key-of-alice"}
	for i := range 1000 {
		lines = append(lines, fmt.Sprintf("client-%d: key-of-client-%[1]d", i))
	}
	file := tempFile(t, "keys", keysOf(lines...))
	return func(c *server.Config) {
		c.FastLane, c.KeysFile = lane, file
		c.RateLimit = ratelimit.Rate{Requests: 1_000_000_000, Period: time.Second}
	}
}

func TestHitWithKeyDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget at random")
	}
	for name, header := range map[string]string{"Authorization": alice,
		"X-API-Key": "X-API-Key: key-of-client-7\r\n"} {
		once := hitter(t, withKeys(t, true), predictWith(header, aForecast))
		// Rounded down: a Date a second, or a buffer that the collector has taken from the pool, is
		// not of a hit.
		if got := testing.AllocsPerRun(2000, once); got != 0 {
			t.Errorf("%s: got %v allocations a hit, want 0", name, got)
		}
	}
}

// BenchmarkHit is a hit over loopback, client included: with a key of a thousand and a limit, and
// without.
func BenchmarkHit(b *testing.B) {
	for _, lane := range []bool{true, false} {
		for _, keys := range []bool{false, true} {
			change, request := func(c *server.Config) { c.FastLane = lane },
				predictWith("", aForecast)
			if keys {
				change, request = withKeys(b, lane), predictWith(alice, aForecast)
			}
			b.Run(fmt.Sprintf("lane=%v/keys=%v", lane, keys), func(b *testing.B) {
				once := hitter(b, change, request)
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
