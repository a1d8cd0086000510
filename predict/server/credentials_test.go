package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFilesAreBounded loads files of one byte more than each may have.
func TestFilesAreBounded(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, size int64) string {
		path := filepath.Join(dir, name)
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := f.Truncate(size); err != nil {
			t.Fatal(err)
		}
		return path
	}
	small, large := file("small", 1), file("large", maxFile+1)
	for name, cfg := range map[string]Config{
		"keys":        {KeysFile: file("keys", maxKeysFile+1)},
		"admin_token": {AdminTokenFile: large},
		"certificate": {TLSCert: large, TLSKey: small},
		"its key":     {TLSCert: small, TLSKey: large},
	} {
		for _, res := range new(credentials).resources(&cfg) {
			if err := res.loadSafely(t.Context()); err == nil ||
				!strings.Contains(err.Error(), "larger than") {
				t.Errorf("%s: got %v", name, err)
			}
		}
	}
	if maxFile > 1<<20 || maxKeysFile > 16<<20 {
		t.Errorf("%d and %d bytes are read", maxFile, maxKeysFile)
	}
}
