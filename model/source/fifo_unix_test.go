//go:build unix

package source_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"tickercast/model/source"
)

// TestOpenStopsAtASlowPipe ends the context while the other end of a pipe says nothing.
func TestOpenStopsAtASlowPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	for name, data := range map[string][]byte{"plain": pricesCSV(100, 60),
		"gzip": gzipped(pricesCSV(100, 60))[:100]} {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		// A pipe without a writer is at its end.
		w, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_, _, err := source.Config{Prices: path, Pipes: true}.Open(ctx)
			done <- err
		}()
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
		cancel()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got error %v, want %v", name, err, context.Canceled)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s: still reading 10 s after the context ended", name)
		}
		w.Close()
	}
}
