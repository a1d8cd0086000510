package server

import (
	"os"
	"os/signal"
	"syscall"
)

// Signals are the process's signals as a Server takes them. Each kind has its own channel, so that
// a storm of one cannot crowd out the other. A nil channel never gives one.
type Signals struct {
	Stop   <-chan os.Signal // SIGTERM and SIGINT
	Hangup <-chan os.Signal // SIGHUP
}

// Notify relays the process's signals until stop is called. Call it before anything else, so that
// no signal kills a server that is starting.
func Notify() (s Signals, stop func()) {
	end, hangup := make(chan os.Signal, 2), make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, os.Interrupt)
	notifyHangup(hangup)
	ignoreBrokenPipe()
	return Signals{end, hangup}, func() { signal.Stop(end); signal.Stop(hangup) }
}
