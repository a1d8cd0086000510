//go:build unix

package server

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// inherit takes over a listening socket. Its descriptor is closed only if it is one, as any other
// may be the runtime's own.
func inherit(fd int) (net.Listener, error) {
	listening, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
	switch {
	case errors.Is(err, syscall.EBADF):
		return nil, fmt.Errorf("the process was started without descriptor %d", fd)
	case err != nil:
		return nil, fmt.Errorf("descriptor %d: %w", fd, err)
	case listening == 0:
		return nil, fmt.Errorf("descriptor %d is a socket that does not listen", fd)
	}
	file := os.NewFile(uintptr(fd), fmt.Sprintf("%s%d", fdPrefix, fd))
	defer file.Close() // the listener has a copy
	ln, err := net.FileListener(file)
	if err != nil {
		return nil, err
	}
	if tcp, ok := ln.(*net.TCPListener); ok {
		if conn, err := tcp.SyscallConn(); err == nil {
			setNotSentLowat("", "", conn) // it bounds memory; without it all works
		}
	}
	return ln, nil
}
