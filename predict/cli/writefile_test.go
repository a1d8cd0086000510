package cli

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestWriteFileReplacesWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weights.bin")
	for _, want := range []string{"first", "second, longer", "3"} {
		if err := writeFile(path, []byte(want)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files in the folder, %v; want only that one", len(entries), err)
	}
}

func TestWriteFileFailureKeepsTheOld(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "taken")
	// a folder that no file can replace
	if err := os.MkdirAll(filepath.Join(path, "child"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(path, []byte("x")); err == nil {
		t.Fatal("replaced a folder by a file")
	}
	if _, err := os.Stat(filepath.Join(path, "child")); err != nil {
		t.Errorf("what was there is gone: %v", err)
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 1 {
		t.Errorf("%d files left, want no trace of the failed one", len(entries))
	}
	if err := writeFile(filepath.Join(dir, "no", "such", "folder"), nil); err == nil {
		t.Error("wrote into a folder that is not there")
	}
}

// TestWriteFileKeepsLinksAndPipes: what a path leads to is written, and stays what it is.
func TestWriteFileKeepsLinksAndPipes(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	if err := os.WriteFile(real, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Skip(err)
	}
	for _, err := range []error{checkWritable(link), writeFile(link, []byte("x")),
		checkWritable(os.DevNull), writeFile(os.DevNull, []byte("x"))} {
		if err != nil {
			t.Error(err)
		}
	}
	if got, err := os.ReadFile(real); string(got) != "x" {
		t.Errorf("got %q, %v behind the link", got, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().Type() != os.ModeSymlink {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Fatalf("the device is %v, %v", info.Mode(), err)
	}
}

// TestLeftoversAreRemoved: a writer that was killed leaves a file. The next writer removes it when
// it is too old to be in use.
func TestLeftoversAreRemoved(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "my.csv")
	left := map[string]bool{}
	for name, stays := range map[string]bool{
		".my.csv.tickercast-123.tmp": false, ".my.csv.tickercast-4.tmp": false,
		".my.csv.tickercast-5.tmp": true, // young
		".my.csv.tickercast-x.tmp": true, ".my.csv.tickercast-6": true,
		".my.csv.tickercast-.tmp":   true,
		".our.csv.tickercast-7.tmp": true, "my.csv.tickercast-8.tmp": true,
		".my.csv.2024.tmp": true,
	} {
		left[name] = stays
		if err := os.WriteFile(filepath.Join(dir, name), []byte("date,ticker"), 0o644); err != nil {
			t.Fatal(err)
		}
		if name != ".my.csv.tickercast-5.tmp" {
			old := time.Now().Add(-2 * writeTime)
			if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := writeFile(path, []byte("date,ticker,close\n")); err != nil {
		t.Fatal(err)
	}
	for name, stays := range left {
		_, err := os.Stat(filepath.Join(dir, name))
		if got := err == nil; got != stays {
			t.Errorf("%s is there: %v, want %v", name, got, stays)
		}
	}
}
