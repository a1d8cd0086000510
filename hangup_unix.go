//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// notifyHangup asks for SIGHUP, the customary signal to read configuration again.
func notifyHangup(c chan<- os.Signal) { signal.Notify(c, syscall.SIGHUP) }

// ignoreBrokenPipe makes a log whose reader has gone an error of writing, where the default for
// stdout and stderr is to end the process.
func ignoreBrokenPipe() { signal.Ignore(syscall.SIGPIPE) }
