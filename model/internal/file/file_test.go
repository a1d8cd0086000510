//go:build unix

package file_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tickercast/model/internal/file"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(path("good"), []byte("12345678"), 0o644))
	must(os.Symlink("good", path("link")))
	must(os.Symlink("loop", path("loop")))
	must(syscall.Mkfifo(path("fifo"), 0o644))
	must(os.WriteFile(path("sparse"), nil, 0o644))
	must(os.Truncate(path("sparse"), 64<<30))
	for name, want := range map[string]string{
		"good": "", "link": "",
		"gone": "no such file", "fifo": "regular file", ".": "is a folder",
		"sparse": "larger than 8 bytes", "loop": "too many levels",
	} {
		data, err := file.Read(t.Context(), path(name), 8)
		switch {
		case want == "" && (err != nil || string(data) != "12345678"):
			t.Errorf("%s: got %q, %v", name, data, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: got %q, %v; want an error with %q", name, data, err, want)
		case want != "" && !strings.Contains(err.Error(), dir):
			t.Errorf("%s: %v does not name the file", name, err)
		}
	}
	if _, err := file.Read(t.Context(), "/dev/zero", 8); err == nil {
		t.Error("a device is read")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := file.Read(ctx, path("good"), 8); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v after the context's end", err)
	}
}

// TestPipe reads a pipe where that is allowed, as commands do with /dev/stdin.
func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := file.Open(path, true)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		w.WriteString("through")
		w.Close()
	}()
	buf := make([]byte, 16)
	n, err := f.Read(buf)
	if err != nil || string(buf[:n]) != "through" {
		t.Errorf("got %q, %v", buf[:n], err)
	}
}
