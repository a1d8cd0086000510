//go:build !linux

package load

import "time"

// clock is time.Sleep where nothing finer was looked for.
type clock struct{}

func newClock() *clock               { return new(clock) }
func (*clock) sleep(d time.Duration) { time.Sleep(d) }
func (*clock) close()                {}
