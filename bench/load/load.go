// Package load sends HTTP/1.1 or HTTP/2 requests to a server on this machine and times the answers.
//
// In an open loop (Config.Rate above zero) requests are due at fixed times, and latency counts from
// the time a request was due, even if no connection was free to send it. A server that stalls for a
// second then shows a second of late answers, as its users would see them. In a closed loop (Rate
// zero) each connection sends its next request once it has its answer: that measures throughput,
// and its latencies only say how long the queue was.
//
// The package is no attack tool and no general client: it sends only to loopback addresses, keeps
// one request in flight on a connection of HTTP/1.1, and reads only responses with a
// Content-Length.
package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// Config says what to send where, how fast and how long. Addr and Requests are required.
type Config struct {
	Addr string // host:port; the host is localhost or a loopback address
	// Requests returns the source of requests of one connection, numbered from 0: a function that
	// returns the bytes of the next request, valid until the next call. It is called for each
	// connection at the start, and again after a warm-up.
	Requests func(conn int) func() []byte
	// Check, if set, judges each answer; an error counts as "unexpected". The body is valid during
	// the call.
	Check func(status int, body []byte) error

	Conns   int     // keep-alive connections; 0 means 64
	Streams int     // of HTTP/2 on each, in a closed loop; 0 means HTTP/1.1
	Rate    float64 // requests due each second; 0 means a closed loop
	Poisson bool    // gaps between requests are exponentially distributed, otherwise equal
	Seed    uint64  // of the Poisson gaps

	Warmup   time.Duration // runs first, at the same rate, and is not counted
	Duration time.Duration // of the measured part; 0 means 10 seconds
	Count    int64         // most requests of the measured part; 0 means no limit
	// Around, if set, calls part, which is the measured part: all connections are open before it,
	// and still after it.
	Around func(part func())
	// Timeout bounds one exchange, and the time spent on a backlog after Duration; 0 means 5
	// seconds.
	Timeout time.Duration
	// Patience is how long a request of an open loop waits for a free connection before it is given
	// up: it counts as unsent and in no histogram. 0 means until the end of the backlog.
	Patience time.Duration
	// Retries is how often a request without a 2xx within Timeout is sent again at once. Each time
	// counts as a request.
	Retries int

	// Dial opens a connection; nil means TCP to Addr.
	Dial func(ctx context.Context) (net.Conn, error)
	// Sleep waits for d; nil means the finest clock that the system has.
	Sleep func(d time.Duration)
}

func (cfg Config) withDefaults() (Config, error) {
	cfg.Conns = cmp.Or(cfg.Conns, 64)
	cfg.Duration = cmp.Or(cfg.Duration, 10*time.Second)
	cfg.Timeout = cmp.Or(cfg.Timeout, 5*time.Second)
	switch {
	case cfg.Requests == nil:
		return cfg, errors.New("load: Config.Requests is not set")
	case cfg.Conns < 0 || cfg.Conns > 100_000:
		return cfg, fmt.Errorf("load: %d connections, want 1 to 100000", cfg.Conns)
	case !(cfg.Rate >= 0 && cfg.Rate <= 10e6):
		return cfg, fmt.Errorf("load: a rate of %v a second, want 0 to 10 million", cfg.Rate)
	case cfg.Duration < 0 || cfg.Warmup < 0 || cfg.Count < 0 || cfg.Timeout < 0 ||
		cfg.Patience < 0 || cfg.Retries < 0:
		return cfg, errors.New("load: a negative Duration, Warmup, Count, Timeout, Patience or " +
			"Retries")
	}
	if cfg.Streams < 0 || cfg.Streams > 100 || cfg.Streams > 0 && cfg.Rate > 0 {
		return cfg, fmt.Errorf("load: %d streams, want 0 to 100, and a closed loop with them",
			cfg.Streams)
	}
	if cfg.Dial == nil {
		if err := checkLoopback(cfg.Addr); err != nil {
			return cfg, err
		}
		addr := cfg.Addr
		cfg.Dial = func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		}
	}
	return cfg, nil
}

// checkLoopback refuses an address that is not certain to be on this machine.
func checkLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("load: %q is not a loopback address; no other is ever a target", host)
	}
	return nil
}
