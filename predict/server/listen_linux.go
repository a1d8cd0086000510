package server

import (
	"errors"
	"syscall"
)

// maxNotSent is how much of an answer the kernel takes before it can send it. Without a bound it
// takes 2.6 MB for a client that does not read; 300 such clients, each with some hundred pipelined
// requests, used up the kernel's memory for TCP and stopped every other connection of the machine.
// Bytes sent and not yet acknowledged do not count, so a distant client that reads is no slower.
const maxNotSent = 16 << 10

// setNotSentLowat sets the bound on a listening socket, whose connections inherit it.
func setNotSentLowat(_, _ string, c syscall.RawConn) error {
	const notSentLowat = 25 // TCP_NOTSENT_LOWAT, which package syscall does not name
	var err error
	return errors.Join(c.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, notSentLowat, maxNotSent)
	}), err)
}

// setPrivate keeps all others from connecting to a unix socket from its first moment on: its file
// gets the mode that the socket has when it is bound.
func setPrivate(_, _ string, c syscall.RawConn) (err error) {
	failed := c.Control(func(fd uintptr) { err = syscall.Fchmod(int(fd), 0o600) })
	return errors.Join(failed, err)
}
