package main

import (
	"errors"
	"syscall"
)

// maxUnsent is how much of an answer the kernel takes before it can send it. Without a bound it
// takes 2.6 MB for a client that does not read, and three hundred of them, each with a few hundred
// requests sent one behind the other, were all the memory that it has for TCP: every other
// connection of the machine stood still. What is sent and not yet acknowledged does not count, so a
// client that reads is served no slower however far away it is.
const maxUnsent = 16 << 10

// boundUnsent is for the listener's socket, whose connections take it over.
func boundUnsent(_, _ string, c syscall.RawConn) error {
	const notSentLowat = 25 // TCP_NOTSENT_LOWAT, which package syscall does not name
	var err error
	return errors.Join(c.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, notSentLowat, maxUnsent)
	}), err)
}
