package systemd

import (
	"syscall"
	"time"
	"unsafe"
)

// monotonic returns CLOCK_MONOTONIC in microseconds. systemd ignores RELOADING=1 if its time is
// before that of the signal, so it must be this clock to the microsecond. Package time gives it
// only as a difference, and package syscall has no call for it, hence the pointer.
func monotonic() int64 {
	const clockMonotonic = 1
	var t syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&t)), 0)
	return t.Nano() / int64(time.Microsecond)
}
