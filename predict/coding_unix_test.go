//go:build unix

package predict_test

import (
	"bytes"
	"compress/gzip"
	"syscall"
	"testing"
	"time"
)

// TestBombs: bodies that are long only when they are decompressed cost next to nothing.
func TestBombs(t *testing.T) {
	if testing.Short() {
		t.Skip("it compresses 1 GB")
	}
	h := newHandler(t)
	var bomb bytes.Buffer
	z, _ := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	chunk := make([]byte, 1<<20)
	for range 1000 {
		z.Write(chunk)
	}
	z.Close()
	small := bomb.String()[:min(bomb.Len(), 1<<20)] // as much of it as is read
	var before, after syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	for _, path := range []string{"/predict", "/predict/batch", inferPath} {
		body := small
		if path == "/predict" {
			body = small[:64<<10]
		}
		w := call(h, "POST", path, body, "Content-Encoding", "gzip")
		if w.Code != 413 || w.Header().Get("Connection") != "close" {
			t.Errorf("%s: got %d %s, want 413", path, w.Code, w.Body)
		}
	}
	syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	spent := time.Duration(after.Utime.Nano() - before.Utime.Nano())
	t.Logf("three bombs of 1 GB: %v of CPU", spent)
	if spent > 300*time.Millisecond {
		t.Errorf("%v of CPU, want 0.1 s each at most", spent)
	}
}
