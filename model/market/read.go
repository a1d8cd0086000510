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

// Read reads a panel from CSV, plain or gzip. Errors call it by name and say the line and the field
// at fault. There is no half panel: one bad row refuses all.
//
// The first row is a header. Its names, in any case, decide the form:
//
//   - Long: a row is a day of a ticker. The columns are date; ticker, or else
//     symbol, or else name; adj_close, or else close; and if there are any, open,
//     high and low. Others are ignored, in any order. With adj_close, the open,
//     high and low are scaled by adj_close/close of their row, and unknown
//     without a close. They may be empty. Where they do not fit each other or
//     the close, as happens in files that are otherwise good, they are dropped
//     for that day.
//   - Wide: the first column is date, every other one holds the closes of the
//     ticker that it is named after. An empty cell is no row.
//
// Rows may come in any order and on any day of the week; blank lines are skipped. A day may be
// repeated if the close is the same; the first one counts. Dates are YYYY-MM-DD, with or without a
// time of midnight. Tickers are kept as they are written. Prices must be positive decimal numbers.
// Quotes, CRLF and a byte order mark are as in other CSV files.
func Read(r io.Reader, name string) (*Panel, error) {
	t := newTable()
	if err := t.read(r, name, ""); err != nil {
		return nil, err
	}
	return t.panel()
}

// Open reads a panel from a file, or from all the files in a directory that are called TICKER.csv
// or TICKER.csv.gz. Those are in the long form, and if they have no ticker column their name is the
// ticker. See Read for what a file holds.
func Open(path string) (*Panel, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	t := newTable()
	if info.IsDir() {
		err = t.readDir(path)
	} else {
		err = t.readFile(path, "")
	}
	if err != nil {
		return nil, err
	}
	return t.panel()
}

func (t *table) readDir(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		ticker, isCSV := strings.CutSuffix(strings.TrimSuffix(e.Name(), ".gz"), ".csv")
		if !isCSV || ticker == "" || e.IsDir() {
			continue
		}
		if err := t.readFile(filepath.Join(path, e.Name()), ticker); err != nil {
			return err
		}
	}
	if len(t.columns) == 0 {
		return fmt.Errorf("%s: no .csv or .csv.gz file in the directory", path)
	}
	return nil
}

func (t *table) readFile(path, ticker string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return t.read(f, path, ticker)
}

const bufferSize = 64 << 10

// read adds the rows of one file to the table. A ticker that is not empty stands in for a column of
// them.
func (t *table) read(r io.Reader, name, ticker string) error {
	plain := bufio.NewReaderSize(r, bufferSize)
	if magic, _ := plain.Peek(2); string(magic) != "\x1f\x8b" {
		return t.readCSV(plain, name, ticker)
	}
	unzipped, stop := gunzip(plain)
	defer stop()
	return t.readCSV(unzipped, name, ticker)
}

// gunzip decompresses r in a goroutine of its own, as that takes about as long as parsing what
// comes out. The goroutine has ended when stop returns.
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
