package load

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const request = "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"

func constant(int) func() []byte { return func() []byte { return []byte(request) } }

// fakeServer answers on connections in memory. delay returns its time for the n-th request, counted
// from 1 over all connections; if it is negative the server closes the connection.
type fakeServer struct {
	delay func(n int) time.Duration
	seen  atomic.Int64 // requests
}

func (s *fakeServer) dial(context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	go func() {
		defer server.Close()
		buf := make([]byte, len(request))
		for {
			if _, err := io.ReadFull(server, buf); err != nil {
				return
			}
			d := s.delay(int(s.seen.Add(1)))
			if d < 0 {
				return
			}
			time.Sleep(d)
			if _, err := io.WriteString(server,
				"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"); err != nil {
				return
			}
		}
	}()
	return client, nil
}

// simulate runs cfg against a fake server on a fake clock, so that times are exact.
func simulate(t *testing.T, delay func(n int) time.Duration, cfg Config,
	check func(t *testing.T, r *Result)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg.Dial = (&fakeServer{delay: delay}).dial
		cfg.Sleep = time.Sleep
		cfg.Requests = constant
		r, err := Run(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		check(t, r)
		time.Sleep(time.Minute) // the server ends what it has begun
	})
}
