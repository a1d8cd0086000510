//go:build !linux

package server

import "syscall"

// setNotSentLowat does nothing: other systems name this option otherwise, if they have it.
func setNotSentLowat(_, _ string, _ syscall.RawConn) error { return nil }

// setPrivate does nothing: the mode of the process's new files counts here, until the socket's own
// is set.
func setPrivate(_, _ string, _ syscall.RawConn) error { return nil }
