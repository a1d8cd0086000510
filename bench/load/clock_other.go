//go:build !linux

package load

import "time"

type clock struct{}

func newClock() *clock               { return new(clock) }
func (*clock) sleep(d time.Duration) { time.Sleep(d) }
func (*clock) close()                {}
