// Package load sends HTTP/1.1 requests to a server on this machine at a chosen rate and times the
// answers.
//
// In an open loop (Config.Rate above zero) requests are due at times fixed beforehand, whatever the
// server does, and the latency of each counts from the time at which it was due, not from the time
// at which a connection was free to send it. A server that stalls for a second therefore shows a
// second of late answers, as its users would see them; a generator that waits for an answer before
// it sends the next request would show one. In a closed loop (Rate zero) each connection sends its
// next request as soon as it has its answer: that measures throughput, and its latencies only say
// how long the queue was.
//
// The package is no attack tool and no general client: it sends to loopback addresses alone, ends
// by itself, keeps one request in flight on a connection, and speaks plain HTTP/1.1 with
// Content-Length.
package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// Config says what to send where, how fast and how long. Addr and Requests are required.
type Config struct {
	// Addr is the host:port to connect to; the host is localhost or a loopback address.
	Addr string
	// Requests returns the source of requests of one connection, numbered from 0: a function that
	// returns the next request, complete as it goes on the wire and valid until the next call. It
	// is called for each connection when the run begins, and again after a warm-up.
	Requests func(conn int) func() []byte
	// Check, if set, judges each answer; an error counts as the error "unexpected". The body is
	// valid during the call.
	Check func(status int, body []byte) error

	// Conns is the number of keep-alive connections; 0 means 64.
	Conns int
	// Rate is the number of requests due each second; 0 means a closed loop.
	Rate float64
	// Poisson draws the gaps between requests from an exponential distribution; otherwise they are
	// equal.
	Poisson bool
	// Seed of the Poisson gaps.
	Seed uint64

	// Duration bounds the measured part; 0 means 10 seconds.
	Duration time.Duration
	// Warmup runs before the measured part at the same rate and is not counted.
	Warmup time.Duration
	// Count bounds the number of requests of the measured part; 0 means that Duration alone does.
	Count int64
	// Timeout bounds one exchange, and how long a backlog is worked off after Duration; 0 means 5
	// seconds.
	Timeout time.Duration
	// Patience is how long a request of an open loop may wait for a free connection; then it is
	// given up and counts as unsent and in no histogram, as in a pool of connections that has no
	// room. 0 means for as long as the backlog is worked off.
	Patience time.Duration
	// Retries is how often a request is sent again at once that got no 2xx within Timeout. Each
	// time counts as a request.
	Retries int

	// Progress, if set, is called about once a second with what has been measured so far.
	Progress func(Progress)

	// Dial opens a connection; nil means TCP to Addr.
	Dial func(ctx context.Context) (net.Conn, error)
	// Sleep waits for d, as exactly as it can; nil means a clock finer than time.Sleep where the
	// system has one.
	Sleep func(d time.Duration)
}

// Progress is a look at a run under way.
type Progress struct {
	Elapsed  time.Duration
	Requests int64
	Errors   int64
	P99      time.Duration
}

func (cfg Config) withDefaults() (Config, error) {
	if cfg.Conns == 0 {
		cfg.Conns = 64
	}
	if cfg.Duration == 0 {
		cfg.Duration = 10 * time.Second
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 5 * time.Second
	}
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
	if cfg.Dial == nil {
		if err := checkLoopback(cfg.Addr); err != nil {
			return cfg, err
		}
		addr := cfg.Addr
		cfg.Dial = func(ctx context.Context) (net.Conn, error) { return dialLoopback(ctx, addr) }
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
		return fmt.Errorf("load: %q is not a loopback address; a server elsewhere is never a target", host)
	}
	return nil
}

func dialLoopback(ctx context.Context, addr string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	// What localhost means is up to the resolver.
	if remote, ok := c.RemoteAddr().(*net.TCPAddr); !ok || !remote.IP.IsLoopback() {
		c.Close()
		return nil, fmt.Errorf("load: %s leads to %v, which is not a loopback address", addr,
			c.RemoteAddr())
	}
	return c, nil
}
