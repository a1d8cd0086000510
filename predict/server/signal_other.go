//go:build !unix

package server

import "os"

// notifyHangup does nothing: there is no SIGHUP here; POST /-/reload does its work.
func notifyHangup(chan<- os.Signal) {}

// ignoreBrokenPipe does nothing: there is no such signal here.
func ignoreBrokenPipe() {}
