package server

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// The forms of an address that are not host:port.
const (
	unixPrefix = "unix:" // a path, or @ and a name that is no file (Linux)
	fdPrefix   = "fd:"   // the number of a descriptor that the process was started with
)

// listen opens an address of any form.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(addr, unixPrefix); ok {
		return listenUnix(ctx, path)
	}
	if number, ok := strings.CutPrefix(addr, fdPrefix); ok {
		fd, err := strconv.ParseUint(number, 10, 31)
		if err != nil {
			return nil, fmt.Errorf("address %q: want the number of a descriptor after %s", addr,
				fdPrefix)
		}
		ln, err := inherit(int(fd))
		if err != nil {
			return nil, fmt.Errorf("address %q: %w", addr, err)
		}
		return ln, nil
	}
	return listenTCP(ctx, addr)
}

// isInherited reports whether an address is a socket that someone else holds too.
func isInherited(addr string) bool { return strings.HasPrefix(addr, fdPrefix) }

// listenTCP sets TCP_NOTSENT_LOWAT, so that a client that never reads cannot pin megabytes of
// kernel socket buffer.
func listenTCP(ctx context.Context, addr string) (net.Listener, error) {
	cfg := net.ListenConfig{Control: setNotSentLowat}
	cfg.SetMultipathTCP(false) // its listener does not pass options on to plain TCP connections
	return cfg.Listen(ctx, "tcp", addr)
}

// addrOf is the address of a listener, in the form that listen takes.
func addrOf(ln net.Listener) string {
	if ln.Addr().Network() == "unix" {
		return unixPrefix + ln.Addr().String()
	}
	return ln.Addr().String()
}
