package market

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Open reads a panel from a file, or from a directory of TICKER.csv and
// TICKER.csv.gz files. See Read for what a file holds. A file in a directory
// need not have a ticker column: its name is the ticker. Other files there are
// ignored, as are directories.
func Open(path string) (*Panel, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	t := newTable()
	if !info.IsDir() {
		if err := t.readFile(path, ""); err != nil {
			return nil, err
		}
		return t.panel(), nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		ticker, isCSV := strings.CutSuffix(strings.TrimSuffix(e.Name(), ".gz"), ".csv")
		if e.IsDir() || !isCSV || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if err := t.readFile(filepath.Join(path, e.Name()), ticker); err != nil {
			return nil, err
		}
	}
	if len(t.columns) == 0 {
		return nil, fmt.Errorf("%s: no .csv or .csv.gz file in the directory", path)
	}
	return t.panel(), nil
}

// Read reads a panel from a CSV, plain or gzip. Errors name the file as name.
func Read(r io.Reader, name string) (*Panel, error) {
	t := newTable()
	if err := t.read(r, name, ""); err != nil {
		return nil, err
	}
	return t.panel(), nil
}

// readFile adds the rows of a file. A ticker that is not empty stands for a
// missing ticker column.
func (t *table) readFile(path, ticker string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return t.read(f, path, ticker)
}

const bufferSize = 256 << 10

// read adds the rows of one CSV, plain or gzip.
func (t *table) read(r io.Reader, name, ticker string) error {
	br := bufio.NewReaderSize(r, bufferSize)
	if magic, _ := br.Peek(2); string(magic) == "\x1f\x8b" {
		plain, stop := gunzip(br)
		defer stop()
		br = bufio.NewReaderSize(plain, bufferSize)
	}
	return t.readCSV(br, name, ticker)
}

// gunzip decompresses r in a goroutine of its own, because that takes about as
// long as parsing what comes out. The goroutine has ended when stop returns.
func gunzip(r io.Reader) (plain io.Reader, stop func()) {
	pr, pw := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		z, err := gzip.NewReader(r)
		if err == nil {
			_, err = io.CopyBuffer(pw, z, make([]byte, bufferSize))
		}
		if err != nil {
			err = fmt.Errorf("decompressing: %w", err)
		}
		pw.CloseWithError(err)
	}()
	return pr, func() {
		pr.Close()
		<-done
	}
}
