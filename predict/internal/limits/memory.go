package limits

import (
	"fmt"
	"math"
	"os"
	"runtime/debug"
)

const (
	// leastMemory is what a server needs to start, to reload, and to answer some clients meanwhile.
	leastMemory = 40 << 20

	// programBytes are the pages of the program itself, 11 MB, which are resident too but not the
	// collector's, and what the collector may be late by.
	programBytes = 14 << 20
)

// SetMemory sets the soft memory limit of the Go runtime and returns it, or 0 if there is none:
// nine tenths of what the container has, so that the collector works harder before the kernel
// kills, but in a small container less, because of the program itself. GOMEMLIMIT wins over the
// container, and is taken for nine tenths of what there is. The error says that there is too
// little.
func SetMemory() (int64, error) {
	set := debug.SetMemoryLimit(-1)
	limit, err := softLimit(set, Memory(os.DirFS("/")))
	if err == nil && limit > 0 && limit != set {
		debug.SetMemoryLimit(limit)
	}
	return limit, err
}

// softLimit returns what SetMemory sets; set is what GOMEMLIMIT says or math.MaxInt64, and
// container the memory of that or 0.
func softLimit(set, container int64) (int64, error) {
	from, has := "the memory limit", container
	soft := container / 10 * 9
	if set != math.MaxInt64 {
		from, has = "GOMEMLIMIT", set
		soft, container = set, set/9*10
	}
	switch {
	case has == 0:
		return 0, nil
	case has < leastMemory:
		return 0, fmt.Errorf("%s is %.1f MiB, and a server needs at least %d MiB", from,
			float64(has)/(1<<20), leastMemory>>20)
	}
	return min(soft, container-programBytes), nil
}
