package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"tickercast/model/market"
)

// openPrices is market.Open for files that others write, and may have written by half.
func openPrices(path string) (*market.Panel, error) {
	if err := checkWhole(path); err != nil {
		return nil, err
	}
	return market.Open(path)
}

var errCut = errors.New("the last line has no end: the file may be cut short; if it is whole, put a line break there")

// checkWhole refuses plain files that stop within a line. A price of 122.20 that was cut to 1 is a price too, and nothing
// after it would tell. Of gzip the checksum tells.
func checkWhole(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return checkLastLine(path)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".csv") && !strings.HasSuffix(e.Name(), ".csv.gz") {
			continue
		}
		if err := checkLastLine(filepath.Join(path, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func checkLastLine(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 { // a pipe can be read once; what is empty has its own error
		return err
	}
	var magic [2]byte
	if _, err := f.ReadAt(magic[:], 0); err == nil && string(magic[:]) == "\x1f\x8b" {
		return nil
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], info.Size()-1); err != nil && err != io.EOF {
		return fmt.Errorf("reading %q: %w", path, err)
	}
	if last[0] != '\n' {
		return fmt.Errorf("%s: %w", path, errCut)
	}
	return nil
}
