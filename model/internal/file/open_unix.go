//go:build unix

package file

import (
	"os"
	"syscall"
	"time"
)

// nonBlocking keeps the open of a pipe from waiting for its writer. Regular files do not care.
const nonBlocking = syscall.O_NONBLOCK

// waits reports whether a read may have to wait for data: only then can it have a deadline.
func waits(f *os.File) bool { return f.SetReadDeadline(time.Time{}) == nil }
