//go:build unix

package file

import "syscall"

// nonBlocking keeps the open of a pipe from waiting for its writer. Regular files do not care.
const nonBlocking = syscall.O_NONBLOCK
