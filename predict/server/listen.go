package server

import (
	"context"
	"net"
)

// listenTCP sets TCP_NOTSENT_LOWAT, so that a client that never reads cannot pin megabytes of
// kernel socket buffer.
func listenTCP(ctx context.Context, addr string) (net.Listener, error) {
	cfg := net.ListenConfig{Control: setNotSentLowat}
	cfg.SetMultipathTCP(false) // its listener does not pass options on to plain TCP connections
	return cfg.Listen(ctx, "tcp", addr)
}
