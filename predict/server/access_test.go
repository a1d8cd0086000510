package server_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"tickercast/predict/internal/logging"
	"tickercast/predict/internal/memnet"
	"tickercast/predict/internal/ratelimit"
	"tickercast/predict/server"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// logAll starts a server that logs every answer to access.
func logAll(t *testing.T, n network, access *lockedBuffer, change func(*server.Config)) *running {
	t.Helper()
	return start(t, n, func(c *server.Config) {
		c.AccessLog, c.AccessRate = slog.NewJSONHandler(access, nil), logging.All
		if change != nil {
			change(c)
		}
	})
}

// lines decodes what was logged since the last call.
func (b *lockedBuffer) lines(t *testing.T) (all []map[string]any) {
	t.Helper()
	text := b.String()
	b.mu.Lock()
	b.buf.Reset()
	b.mu.Unlock()
	for line := range strings.Lines(text) {
		var fields map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &fields), line)
		all = append(all, fields)
	}
	return all
}

func TestForecastsInAccessLog(t *testing.T) {
	steps, mk, err := loadEmbedded(t.Context())
	require.NoError(t, err)
	m, err := steps.On(t.Context(), mk.AsOf())
	require.NoError(t, err)
	prices, version := mk.Source().Sum(), m.Version()
	for _, lane := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			var access lockedBuffer
			r := logAll(t, inMemory(), &access, func(c *server.Config) { c.FastLane = lane })
			asOf := mk.AsOf().String()
			for _, tt := range []struct {
				method, path, body string
				want               string // of the fields below, in order
			}{
				{"POST", "/predict", `{"ticker":"aapl","days_ahead":5}`, "AAPL 5 0.95 asOf miss"},
				{"POST", "/predict", `{"ticker":"AAPL","days_ahead":5}`, "AAPL 5 0.95 asOf hit"},
				{"POST", "/predict", "{\"ticker\":\"AAPL\",\"days_ahead\":\"5\"}",
					"AAPL 5 0.95 asOf hit"},
				{"GET", "/predict/AAPL?days_ahead=5", "", "AAPL 5 0.95 asOf hit"},
				{"GET", "/predict/brk.b?confidence_interval=0.8", "", "BRK-B 1 0.8 asOf miss"},
				{"POST", "/predict", `{"ticker":"AAPL","levels":[0.9]}`, "AAPL 1 0.95 asOf <nil>"},
				{"POST", "/predict", fmt.Sprintf(
					`{"ticker":"MINE","as_of":"2020-01-02","history":[%s1]}`,
					strings.Repeat("1,2,", 30)), "MINE 1 0.95 2020-01-02 <nil>"},
				// 1 June 2025 is a Sunday.
				{"POST", "/predict", `{"ticker":"AAPL","as_of":"2025-06-01"}`,
					"AAPL 1 0.95 2025-05-30 miss"},
				{"GET", "/predict/AAPL?as_of=2025-06-01", "", "AAPL 1 0.95 2025-05-30 hit"},
				{"POST", "/predict/batch", `{"requests":[{"ticker":"AAPL"}]}`,
					"<nil> <nil> <nil> asOf <nil>"},
				{"POST", "/v2/models/tickercast/infer", tensor("AAPL"),
					"<nil> <nil> <nil> asOf <nil>"},
				{"POST", "/predict", `{"ticker":"NOPE"}`, "<nil> <nil> <nil> <nil> <nil>"},
				{"POST", "/predict", `{`, "<nil> <nil> <nil> <nil> <nil>"},
				{"GET", "/model", "", "<nil> <nil> <nil> <nil> <nil>"},
			} {
				r.public.ask(t, tt.method, tt.path, tt.body)
				synctest.Wait()
				lines := access.lines(t)
				require.Len(t, lines, 1)
				l := lines[0]
				got := fmt.Sprintln(l["ticker"], l["days_ahead"], l["confidence_interval"],
					l["as_of"], l["cache"])
				require.Equal(t, strings.ReplaceAll(tt.want, "asOf", asOf)+"\n", got, tt.body)
				if l["as_of"] == nil {
					require.NotContains(t, l, "model_version")
					continue
				}
				require.Equal(t, version, l["model_version"])
				if l["ticker"] == "MINE" {
					require.NotContains(t, l, "prices")
				} else {
					require.Equal(t, prices, l["prices"])
				}
			}
		})
	}
}

func TestProbesInAccessLog(t *testing.T) {
	probes := []string{"/health", "/livez", "/readyz", "/v2/health/live", "/v2/health/ready",
		"/v2/models/tickercast/ready"}
	for _, wanted := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var access lockedBuffer
			r := logAll(t, inMemory(), &access,
				func(c *server.Config) { c.AccessProbes = wanted })
			for _, path := range probes {
				r.public.get(t, path)
				r.public.ask(t, "HEAD", path, "")
			}
			r.public.get(t, "/tickers")
			r.terminate()
			r.public.get(t, "/readyz") // 503 now
			require.NoError(t, r.end())
			want := 1
			if wanted {
				want += 2*len(probes) + 1
			}
			require.Len(t, access.lines(t), want)
		})
	}
}

// TestClientInAccessLog needs no limit for proxies to be believed.
func TestClientInAccessLog(t *testing.T) {
	for _, tt := range []struct {
		proxies, forwarded, want string
	}{
		{"192.0.2.0/24", "203.0.113.9", "203.0.113.9"},
		{"192.0.2.0/24", "198.51.100.1, 203.0.113.9", "203.0.113.9"},
		{"192.0.2.0/24", "2001:db8::1", "2001:db8::1"},
		{"192.0.2.0/24", "nonsense", "192.0.2.7"},
		{"10.0.0.0/8", "203.0.113.9", "192.0.2.7"},
		{"unix", "203.0.113.9", "192.0.2.7"},
		{"", "203.0.113.9", ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			var access lockedBuffer
			mem := &memory{accept: func(c *memnet.Conn) net.Conn {
				return connFrom{c, netip.MustParseAddrPort("192.0.2.7:5000")}
			}}
			r := logAll(t, mem.network(), &access, func(c *server.Config) {
				if tt.proxies != "" {
					var err error
					c.TrustedProxies, err = ratelimit.ParseProxies(tt.proxies)
					require.NoError(t, err)
				}
			})
			for _, request := range [][2]string{{"GET", "/tickers"}, {"POST", "/predict"}} {
				r.public.ask(t, request[0], request[1], aForecast,
					"X-Forwarded-For: "+tt.forwarded)
				synctest.Wait()
				line := access.lines(t)[0]
				require.Equal(t, "192.0.2.7:5000", line["remote"])
				got, _ := line["client"].(string)
				require.Equal(t, tt.want, got, "%+v", tt)
			}
		})
	}
}

func TestRequestsByKey(t *testing.T) {
	file := tempFile(t, "keys", keysOf("alice: key-of-alice", "bob: key-of-bob", "idle: unused"))
	for _, lane := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r := start(t, inMemory(), func(c *server.Config) {
				c.KeysFile, c.FastLane = file, lane
				c.RateLimit = ratelimit.Rate{Requests: 2, Period: 3600e9}
			})
			for range 3 { // the third is over the rate
				r.public.ask(t, "POST", "/predict", aForecast, "X-API-Key: key-of-alice")
			}
			r.public.ask(t, "GET", "/tickers", "", "Authorization: Bearer key-of-bob")
			r.public.ask(t, "GET", "/tickers", "", "Authorization: Bearer wrong")
			r.public.ask(t, "GET", "/health", "", "Authorization: Bearer key-of-bob")
			text := r.metrics()
			require.Contains(t, text, `http_requests_by_key_total{key="alice"} 3`+"\n")
			require.Contains(t, text, `http_requests_by_key_total{key="bob"} 1`+"\n")
			require.Equal(t, 2, strings.Count(text, "http_requests_by_key_total{"))
		})
	}
}

// TestManyKeys bounds the series.
func TestManyKeys(t *testing.T) {
	var lines []string
	for i := range 1200 {
		lines = append(lines, fmt.Sprintf("client-%d: key-%[1]d", i))
	}
	file := tempFile(t, "keys", keysOf(lines...))
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), func(c *server.Config) { c.KeysFile = file })
		for range 2 {
			for i := range 1200 {
				r.public.ask(t, "POST", "/predict", aForecast,
					fmt.Sprintf("X-API-Key: key-%d", i))
			}
		}
		text := r.metrics()
		require.Equal(t, 1001, strings.Count(text, "http_requests_by_key_total{"))
		require.Contains(t, text, `http_requests_by_key_total{key="all others"} 400`+"\n")
		require.Contains(t, text, `http_requests_by_key_total{key="client-999"} 2`+"\n")
	})
}
