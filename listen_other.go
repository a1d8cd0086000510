//go:build !linux

package main

import "syscall"

// boundUnsent bounds nothing: each system has its own way, if any.
func boundUnsent(_, _ string, _ syscall.RawConn) error { return nil }
