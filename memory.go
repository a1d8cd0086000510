package main

import (
	"math"
	"os"
	"runtime/debug"

	"tickercast/predict/limits"
)

// limitMemory returns the soft limit of the Go runtime in bytes, or 0 if there is none. GOMEMLIMIT
// sets it; without that it is nine tenths of what the container has, so that the collector works
// harder before the kernel kills.
func limitMemory() int64 {
	if set := debug.SetMemoryLimit(-1); set != math.MaxInt64 {
		return set
	}
	memory := limits.Memory(os.DirFS("/"))
	if memory == 0 {
		return 0
	}
	memory = memory / 10 * 9
	debug.SetMemoryLimit(memory)
	return memory
}
