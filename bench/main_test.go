package bench

import (
	"fmt"
	"net/http"
	"os"
	"sync"
	"testing"
)

// built is the real binary, as a user builds it, made when the first benchmark wants it.
var built struct {
	sync.Once
	dir, path string
	err       error
}

// TestMain makes the test binary serve the reference when it is told to, so that the reference has
// a process, and so a CPU time, of its own.
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
