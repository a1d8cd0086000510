package limits

import (
	"math"
	"os"
	"runtime/debug"
)

// SetMemory sets the soft memory limit of the Go runtime and returns it, or 0 if there is none.
// GOMEMLIMIT wins; without it the limit is nine tenths of what the container has, so that the
// collector works harder before the kernel kills.
func SetMemory() int64 {
	if set := debug.SetMemoryLimit(-1); set != math.MaxInt64 {
		return set
	}
	memory := Memory(os.DirFS("/")) / 10 * 9
	if memory > 0 {
		debug.SetMemoryLimit(memory)
	}
	return memory
}
