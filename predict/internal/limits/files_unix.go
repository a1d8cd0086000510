//go:build unix

package limits

import "syscall"

// Files is how many descriptors this process may have open, or 0 if that is not known. The runtime
// has raised it to what is allowed at most.
func Files() uint64 {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return 0
	}
	return uint64(l.Cur)
}
