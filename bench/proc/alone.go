//go:build linux

package proc

import (
	"context"
	"fmt"
	"os"
	"runtime"
)

// Alone prepares to measure a server on CPU 1 from this process, which keeps to CPU 0 and one
// thread of Go from now on. It returns the path of tickercast: binary or, if that is empty, what it
// builds from this tree, until cleanup removes it.
func Alone(ctx context.Context, binary string) (path string, cleanup func(), err error) {
	if err := CanPin(); err != nil {
		return "", nil, fmt.Errorf("a server and its load need a CPU each, and taskset(1) to "+
			"get it: %w", err)
	}
	cleanup = func() {}
	if binary == "" {
		dir, err := os.MkdirTemp("", "tickercast-bench")
		if err != nil {
			return "", nil, err
		}
		cleanup = func() { os.RemoveAll(dir) }
		if binary, err = Build(ctx, dir); err != nil {
			cleanup()
			return "", nil, err
		}
	}
	if err := PinSelf(0); err != nil {
		cleanup()
		return "", nil, err
	}
	runtime.GOMAXPROCS(1)
	return binary, cleanup, nil
}
