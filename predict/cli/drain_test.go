package cli_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/bench"
	"tickercast/bench/load"
)

// rounds is how often a test of endurance does what it does: as often as a variable says, which is
// its long form, or else a few times.
func rounds(t *testing.T, variable string, few int) (n int, long bool) {
	t.Helper()
	s, long := os.LookupEnv(variable)
	if !long {
		return few, false
	}
	n, err := strconv.Atoi(s)
	require.NoError(t, err, variable)
	return n, true
}

// TestDrainLosesNothing ends servers by SIGTERM in the middle of load, one after the other, each
// with a successor beside it: a rolling update behind a balancer that goes on sending new
// connections to a server for some time after it was told to end. The clients retry nothing and
// leave a connection only when an answer says Connection: close. Every request that they sent
// before that must be answered, and every server must end with status 0 within its grace.
//
// TICKERCAST_DRAINS=100 ends so many servers in each mode, at 5,000 requests a second: a million
// and more in each.
func TestDrainLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("runs processes for long")
	}
	n, long := rounds(t, "TICKERCAST_DRAINS", 2)
	for name, flag := range map[string]string{"fast lane": "-fastlane=true",
		"net/http": "-fastlane=false"} {
		t.Run(name, func(t *testing.T) {
			r := &rollout{delay: 500 * time.Millisecond, lag: 250 * time.Millisecond, rate: 1000}
			if long {
				r = &rollout{delay: 2 * time.Second, lag: 1500 * time.Millisecond, rate: 5000}
			}
			r.flags = []string{flag, "-drain-delay", r.delay.String(), "-grace",
				drainGrace.String()}
			r.run(t, n)
		})
	}
}

const (
	drainConns = 64
	drainGrace = 5 * time.Second
)

// A rollout replaces one server by the next while clients ask.
type rollout struct {
	flags      []string
	delay, lag time.Duration // of the server's drain, and of the balancer
	rate       float64       // of requests a second

	balanced  atomic.Pointer[process] // where new connections go
	straddled int64                   // requests sent and answered across the end of a drain
	slowest   time.Duration           // end of a server after its delay
}

func (r *rollout) run(t *testing.T, drains int) {
	r.balanced.Store(start(t, r.flags...))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var result *load.Result
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		result, err = load.Run(ctx, load.Config{
			Dial: r.dial, Requests: drainRequests, Check: isForecast, Conns: drainConns,
			Rate: r.rate, Poisson: true, Duration: 24 * time.Hour,
		})
	}()
	rnd := rand.New(rand.NewPCG(1, 0))
	for range drains {
		r.replace(t, time.Duration(rnd.Int64N(int64(50*time.Millisecond))))
	}
	stop()
	<-ended
	require.NoError(t, err)

	var lost int64
	for _, n := range result.Errors {
		lost += n
	}
	sent := result.Answers + lost
	t.Logf("%d SIGTERMs: %d requests sent before their connection was told to close, %d "+
		"answered, %d lost; %d connections told to close; "+
		"%d more requests begun before the signal and ended after the delay, all answered; "+
		"slowest exit %v after the delay",
		drains, sent, result.Answers, lost, result.Closes, r.straddled,
		r.slowest.Round(time.Millisecond))
	require.Zero(t, result.Failed(), result.String())
	require.Zero(t, lost, result.String())
	require.GreaterOrEqual(t, result.Closes, int64(drains*drainConns),
		"connections that were busy when a drain began")
	if drains >= 100 {
		require.GreaterOrEqual(t, sent, int64(1_000_000))
	}
}

func (r *rollout) dial(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{Timeout: 5 * time.Second}
	// the end of the test is not a loss
	return d.DialContext(context.WithoutCancel(ctx), "tcp", r.balanced.Load().addr)
}

// replace starts a successor, lets a while go by, and sees the server that had the load to its end.
func (r *rollout) replace(t *testing.T, after time.Duration) {
	t.Helper()
	old, next := r.balanced.Load(), start(t, r.flags...)
	time.Sleep(after)
	straddlers := straddle(t, old.addr)
	began := time.Now()
	require.NoError(t, old.Process.Signal(syscall.SIGTERM))
	time.Sleep(r.lag)
	r.balanced.Store(next)
	for _, s := range straddlers {
		s.finish(t, old.addr)
		r.straddled++
	}
	require.Equal(t, 0, old.waitExit(t, r.delay+drainGrace), old.logged())
	took := time.Since(began)
	require.GreaterOrEqual(t, took, r.delay)
	require.Less(t, took, r.delay+drainGrace)
	r.slowest = max(r.slowest, took-r.delay)
}

// drainRequests are cached forecasts. Every eighth connection has other routes among them, and so
// leaves the fast lane.
func drainRequests(conn int) func() []byte {
	hits := bench.Hit("x")(conn)
	if conn%8 != 0 {
		return hits
	}
	others := [][]byte{
		[]byte("GET /predict/AAPL?days_ahead=5 HTTP/1.1\r\nHost: x\r\n\r\n"),
		load.NewRequest("POST", "/predict/batch", "x",
			[]byte(`{"requests":[{"ticker":"AAPL"},{"ticker":"MSFT","days_ahead":30}]}`)),
	}
	n := 0
	return func() []byte {
		if n++; n%4 == 0 {
			return others[n/4%2]
		}
		return hits()
	}
}

func isForecast(status int, body []byte) error {
	if status != http.StatusOK || len(body) < 2 || body[len(body)-1] != ']' &&
		body[len(body)-1] != '}' {
		return fmt.Errorf("status %d: %.100q", status, body)
	}
	return nil
}
