//go:build !linux

package server

import "syscall"

// setNotSentLowat does nothing: other systems name this option otherwise, if they have it.
func setNotSentLowat(_, _ string, _ syscall.RawConn) error { return nil }
