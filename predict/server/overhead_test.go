package server_test

import (
	"math"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict/server"
)

// TestNetHTTPPathAllocatesNothing compares what a request costs through net/http with what it costs
// a bare net/http server that sends the same bytes: all that the server puts in front of a handler
// must work without an allocation.
func TestNetHTTPPathAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget at random")
	}
	const request = "GET /health HTTP/1.1\r\nHost: there\r\n\r\n"
	ours := start(t, loopback(), func(c *server.Config) { c.FastLane = false })
	reply, json := []byte(`{"status":"healthy"}`), []string{"application/json"}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	bare := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = json
			w.WriteHeader(http.StatusOK)
			w.Write(reply)
		})}
	go bare.Serve(ln)
	defer bare.Close()
	conn, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	// The least of some runs: a collection empties pools, and other goroutines allocate too.
	allocations := func(c net.Conn) float64 {
		buf, least := make([]byte, 4096), math.Inf(1)
		for range 8 {
			least = min(least, testing.AllocsPerRun(500, func() {
				if _, err := c.Write([]byte(request)); err != nil {
					t.Fatal(err)
				}
				if _, err := c.Read(buf); err != nil {
					t.Fatal(err)
				}
			}))
		}
		return least
	}
	c := ours.public.connect(t)
	require.NoError(t, c.SetDeadline(time.Time{}))
	require.Equal(t, allocations(conn), allocations(c), "allocations of GET /health")
}
