package load

import (
	"os"
	"syscall"
	"time"
	"unsafe"
)

// clock sleeps to within some ten microseconds. An idle Go program waits in epoll_wait, whose unit
// is the millisecond, so time.Sleep can be late by more than an answer takes. A timerfd wakes
// epoll_wait on time.
type clock struct {
	f  *os.File // nil if the kernel refused a timer; time.Sleep is used then
	fd uintptr
}

func newClock() *clock {
	const monotonic = 1
	fd, _, errno := syscall.Syscall(syscall.SYS_TIMERFD_CREATE, monotonic,
		syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if errno != 0 {
		return new(clock)
	}
	return &clock{os.NewFile(fd, "timerfd"), fd}
}

func (c *clock) sleep(d time.Duration) {
	if c.f != nil && d > 0 {
		spec := struct{ interval, value syscall.Timespec }{value: syscall.NsecToTimespec(int64(d))}
		_, _, errno := syscall.Syscall6(syscall.SYS_TIMERFD_SETTIME, c.fd, 0,
			uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
		var expirations [8]byte
		if errno == 0 {
			if _, err := c.f.Read(expirations[:]); err == nil {
				return
			}
		}
	}
	time.Sleep(d)
}

func (c *clock) close() { c.f.Close() } // which is harmless if f is nil
