package main

import (
	"os"
	"path/filepath"
	"strings"
)

// unended lists the plain files of prices that stop within a line. A price of 122.20 that was cut
// to 1 is a price too, and nothing after it would tell; yet many a good file has no last line
// break, so it can only be said. Of gzip the checksum tells. What cannot be read has had its error.
func unended(path string) (names []string) {
	paths := []string{path}
	if entries, err := os.ReadDir(path); err == nil {
		paths = nil
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), ".csv") {
				paths = append(paths, filepath.Join(path, e.Name()))
			}
		}
	}
	for _, path := range paths {
		if endsWithinLine(path) {
			names = append(names, path)
		}
	}
	return names
}

func endsWithinLine(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 { // a pipe can be opened once
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var magic [2]byte
	if _, err := f.ReadAt(magic[:], 0); err == nil && string(magic[:]) == "\x1f\x8b" {
		return false
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], info.Size()-1)
	return err == nil && last[0] != '\n'
}
