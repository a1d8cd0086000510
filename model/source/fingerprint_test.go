package source_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tickercast/model/source"
)

func TestFingerprint(t *testing.T) {
	dir := t.TempDir()
	paths := []string{filepath.Join(dir, "prices.csv"), filepath.Join(dir, "w.csv"),
		filepath.Join(dir, "next.csv")}
	for i, path := range paths {
		write(t, path, []byte("12345678"))
		old := time.Now().Add(-time.Duration(i) * time.Hour)
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	of := func(paths ...string) source.Fingerprint {
		f, err := source.FingerprintOf(paths)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(paths[0], link); err != nil {
		t.Fatal(err)
	}
	before, folder, linked := of(paths[:2]...), of(dir), of(link)
	if again := of(paths[:2]...); again != before {
		t.Error("files that did not change have another fingerprint")
	}
	// The new file has the same size and is older.
	if err := os.Rename(paths[2], paths[1]); err != nil {
		t.Fatal(err)
	}
	if of(paths[:2]...) == before || of(dir) == folder {
		t.Error("a file that took another's place has the same fingerprint")
	}
	if err := errors.Join(os.Remove(link), os.Symlink(paths[1], link)); err != nil {
		t.Fatal(err)
	}
	if of(link) == linked {
		t.Error("a link to another file has the same fingerprint")
	}
	if _, err := source.FingerprintOf(paths); err == nil {
		t.Error("a file that is gone has a fingerprint")
	}
}

// TestFingerprintOfAFolder changes what is in a folder. Only what would be read counts.
func TestFingerprintOfAFolder(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	target := write(t, filepath.Join(elsewhere, "target"), []byte("1"))
	write(t, filepath.Join(dir, "A.csv"), []byte("1"))
	steps := []struct {
		name  string
		do    func() error
		count bool
	}{
		{"a lock", func() error { return os.WriteFile(filepath.Join(dir, ".lock"), nil, 0o644) },
			false},
		{"a file on its way", func() error {
			return os.WriteFile(filepath.Join(dir, "A.csv.tmp"), []byte("2"), 0o644)
		}, false},
		{"a name that is not read", func() error {
			return os.WriteFile(filepath.Join(dir, "B.txt"), []byte("2"), 0o644)
		}, false},
		{"a dangling link that is not read", func() error {
			return os.Symlink("nowhere", filepath.Join(dir, "old.csv.bak"))
		}, false},
		{"an archive", func() error { return os.Mkdir(filepath.Join(dir, "archive"), 0o755) },
			false},
		{"a file in it", func() error {
			return os.WriteFile(filepath.Join(dir, "archive", "A.csv"), nil, 0o644)
		}, false},
		{"a file that arrives", func() error {
			return os.Rename(filepath.Join(dir, "A.csv.tmp"), filepath.Join(dir, "C.csv.gz"))
		}, true},
		{"an upper-case name", func() error {
			return os.WriteFile(filepath.Join(dir, "F.CSV"), []byte("1"), 0o644)
		}, true},
		{"a zip", func() error {
			return os.WriteFile(filepath.Join(dir, "G.csv.zip"), []byte("1"), 0o644)
		}, true},
		{"a hidden file", func() error {
			return os.WriteFile(filepath.Join(dir, "._F.csv"), []byte("1"), 0o644)
		}, false},
		{"a link", func() error { return os.Symlink(target, filepath.Join(dir, "D.csv")) }, true},
		{"its target", func() error { return os.WriteFile(target, []byte("22"), 0o644) }, true},
		{"a file that goes", func() error { return os.Remove(filepath.Join(dir, "C.csv.gz")) },
			true},
		{"another name", func() error {
			return os.Rename(filepath.Join(dir, "A.csv"), filepath.Join(dir, "E.csv"))
		}, true},
	}
	before, err := source.FingerprintOf([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		after, err := source.FingerprintOf([]string{dir})
		if err != nil || (after != before) != step.count {
			t.Errorf("%s: counts is %v, want %v; error %v", step.name, after != before, step.count,
				err)
		}
		before = after
	}
}
