package bench

import (
	"fmt"
	"net/http"
	"os"
	"sync"
	"testing"
)

// built is the real binary, built for the first benchmark that needs it.
var built struct {
	sync.Once
	dir, path string
	err       error
}

// TestMain serves the reference if TICKERCAST_BENCH_REFERENCE is set: the reference needs a process
// of its own to have a CPU time of its own.
func TestMain(m *testing.M) {
	if addr := os.Getenv("TICKERCAST_BENCH_REFERENCE"); addr != "" {
		fmt.Fprintln(os.Stderr, http.ListenAndServe(addr, Reference(AnswerBytes)))
		os.Exit(1)
	}
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}
