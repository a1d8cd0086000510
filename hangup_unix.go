//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// notifyHangup asks for SIGHUP, the customary signal to read configuration again.
func notifyHangup(c chan<- os.Signal) { signal.Notify(c, syscall.SIGHUP) }
