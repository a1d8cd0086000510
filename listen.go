package main

import (
	"context"
	"net"
)

// listenPublic listens for clients that need not be friends.
func listenPublic(ctx context.Context, addr string) (net.Listener, error) {
	cfg := net.ListenConfig{Control: boundUnsent}
	cfg.SetMultipathTCP(false) // its listener does not hand options on to those who speak plain TCP
	return cfg.Listen(ctx, "tcp", addr)
}
