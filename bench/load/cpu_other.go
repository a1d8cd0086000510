//go:build !unix

package load

import "time"

var start = time.Now()

// ProcessCPU is the time since the process began: the CPU time of this one is not known here.
func ProcessCPU() time.Duration { return time.Since(start) }
