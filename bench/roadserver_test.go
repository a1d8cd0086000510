package bench

import (
	"context"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"

	"tickercast/model"
	"tickercast/model/calibrate"
	"tickercast/model/market"
	"tickercast/predict/server"
)

// wholeServer is the server as it is shipped, with all that a request passes in it, on connections
// that are handed to it.
type wholeServer struct {
	server.Info
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// startWhole runs a server in this process until the test ends.
func startWhole(tb testing.TB, change func(*server.Config)) *wholeServer {
	tb.Helper()
	w := &wholeServer{conns: make(chan net.Conn), closed: make(chan struct{})}
	ready := make(chan server.Info, 1)
	cfg := server.Default()
	cfg.Addr, cfg.AdminAddr, cfg.HealthSocket, cfg.DrainDelay = "memory", "", "", 0
	cfg.Listen = func(context.Context, string) (net.Listener, error) { return w, nil }
	cfg.Load = func(ctx context.Context) (*calibrate.Yearly, *market.Market, error) {
		panel, err := market.Snapshot()
		if err != nil {
			return nil, nil, err
		}
		m, err := model.Embedded()
		if err != nil {
			return nil, nil, err
		}
		mk, err := market.New(ctx, panel, nil)
		return calibrate.Fixed(m), mk, err
	}
	cfg.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	cfg.OnReady = func(i server.Info) { ready <- i }
	if change != nil {
		change(&cfg)
	}
	s, err := server.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	failed := make(chan error, 1)
	go func() { failed <- s.Run(ctx) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-failed; err != nil {
			tb.Error(err)
		}
	})
	select {
	case w.Info = <-ready:
	case err := <-failed:
		failed <- nil
		tb.Fatal(err)
	}
	return w
}

// serve has the server answer the one connection of a listener.
func (w *wholeServer) serve(l net.Listener) {
	c, err := l.Accept()
	if err != nil {
		return
	}
	w.conns <- c
	l.Accept() // returns when the connection is closed
}

// Accept, Close and Addr make it a net.Listener.
func (w *wholeServer) Accept() (net.Conn, error) {
	select {
	case c := <-w.conns:
		return c, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

func (w *wholeServer) Close() error {
	w.once.Do(func() { close(w.closed) })
	return nil
}

func (w *wholeServer) Addr() net.Addr { return loopback }

// cannedBytes is the size of a reply that stands beside a road: that of its answers, but not more
// than a forecast of five days.
func cannedBytes(road Road) int {
	if road.Name == "health" {
		return len(`{"status":"healthy"}`)
	}
	return AnswerBytes
}

// BenchmarkRoad is the server as it is shipped on each road, beside net/http that reads the same
// requests and sends a canned reply. With "net/http" the fast lane is off. Over TLS the client is in
// the same process and counts on both sides.
func BenchmarkRoad(b *testing.B) {
	for _, road := range Roads() {
		if road.TLS {
			b.Run(road.Name, func(b *testing.B) { besideTLS(b, road) })
			continue
		}
		for _, lane := range []bool{true, false} {
			name := road.Name
			if !lane {
				name += "/net/http"
			}
			b.Run(name, func(b *testing.B) {
				w := startWhole(b, func(c *server.Config) { c.FastLane = lane })
				exchange(b, w.serve, 400, road.Workload(host)(0)) // fills the cache
				besideCanned(b, w.serve, road.Workload, block, road.Workload, cannedBytes(road))
			})
		}
	}
}
