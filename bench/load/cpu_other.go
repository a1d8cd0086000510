//go:build !unix

package load

import "time"

var start = time.Now()

// ProcessCPU is the time since the start: the CPU time of a process is only read on Unix.
func ProcessCPU() time.Duration { return time.Since(start) }
