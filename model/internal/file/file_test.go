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
	"time"

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

// TestFileThatWaits reads a file of /proc that calls itself regular and waits as a pipe does.
func TestFileThatWaits(t *testing.T) {
	const path = "/proc/kmsg"
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Skip(err)
	}
	f.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := file.Read(ctx, path, 1<<20); err == nil ||
		!strings.Contains(err.Error(), "regular file") {
		t.Errorf("got %v", err)
	}
}

// TestRefusalLeavesAWriterAlone refuses a pipe without opening it, which would end its writer.
func TestRefusalLeavesAWriterAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Fatal(err)
	}
	opened := make(chan error, 1)
	go func() {
		w, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err == nil {
			w.Close()
		}
		opened <- err
	}()
	for range 20 {
		if _, err := file.Open(path, false); err == nil {
			t.Fatal("a pipe is opened")
		}
		select {
		case <-opened:
			t.Fatal("its writer was let through")
		case <-time.After(time.Millisecond):
		}
	}
	r, err := file.Open(path, true) // lets the writer end
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	<-opened
}
