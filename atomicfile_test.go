package main

import (
	"os"
	"path/filepath"
	"testing"
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
		t.Errorf("%d files in the folder, %v; want the one alone", len(entries), err)
	}
}

func TestWriteFileFailureKeepsTheOld(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "taken")
	if err := os.MkdirAll(filepath.Join(path, "child"), 0o755); err != nil { // a folder that no file can replace
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
