//go:build unix

package limits

import "syscall"

// Files returns how many descriptors this process may have open, or 0 if that is unknown. The Go
// runtime has raised it to the hard limit.
func Files() uint64 {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return 0
	}
	return uint64(l.Cur)
}
