//go:build unix

package server

import (
	"os"
	"os/signal"
	"syscall"
)

// notifyHangup relays SIGHUP, the customary signal to read configuration again.
func notifyHangup(c chan<- os.Signal) { signal.Notify(c, syscall.SIGHUP) }

// ignoreBrokenPipe turns a log whose reader has gone into a write error. By default it ends the
// process.
func ignoreBrokenPipe() { signal.Ignore(syscall.SIGPIPE) }
