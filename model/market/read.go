package market

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"tickercast/model/internal/file"
)

// Open reads a panel from a CSV file, plain or gzip, or from all files in a directory that are
// named TICKER.csv or TICKER.csv.gz. Errors name the file, the line and the field. One bad row
// refuses everything. When ctx ends, Open returns its error within milliseconds.
//
// The first row is a header. Its names, in any case, decide the form:
//
//   - Long: a row is a day of a ticker. The columns are date; ticker, or else symbol, or else name;
//     adj_close, or else close; and optionally open, high and low, which may be empty. Other
//     columns are ignored, in any order. With adj_close, the open, high and low are scaled by
//     adj_close/close of their row, and are unknown without a close. Open, high and low are dropped
//     on days on which they do not fit each other or the close, as in some otherwise good files.
//   - Wide: the first column is date. Every other column holds the closes of the ticker in its
//     header. An empty cell is no row.
//
// Files in a directory are in the long form. Without a ticker column, the file name is the ticker.
//
// Rows may come in any order and on any weekday. Blank lines are skipped. A day may be repeated
// with the same close: its first row counts. Dates are YYYY-MM-DD, with or without a time of
// midnight. Tickers are kept as written. Prices must be positive decimal numbers. Quotes, CRLF and
// a byte order mark are understood.
func Open(ctx context.Context, path string) (*Panel, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	t := newTable()
	if info.IsDir() {
		err = t.readDir(ctx, path)
	} else {
		err = t.readFile(ctx, path, "")
	}
	if err != nil {
		return nil, err
	}
	return t.panel(ctx)
}

func (t *table) readDir(ctx context.Context, path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		ticker, isCSV := strings.CutSuffix(strings.TrimSuffix(e.Name(), ".gz"), ".csv")
		if !isCSV || ticker == "" || e.IsDir() {
			continue
		}
		if err := t.readFile(ctx, filepath.Join(path, e.Name()), ticker); err != nil {
			return err
		}
	}
	if len(t.columns) == 0 {
		return fmt.Errorf("%s: no .csv or .csv.gz file in the directory", path)
	}
	return nil
}

func (t *table) readFile(ctx context.Context, path, ticker string) error {
	f, err := file.Open(path, ticker == "")
	if err != nil {
		return err
	}
	defer f.Close()
	// Closing ends a read that waits for the writer of a pipe.
	defer context.AfterFunc(ctx, func() { f.Close() })()
	return t.read(ctx, f, path, ticker)
}

const bufferSize = 64 << 10

// read adds the rows of one file to the table. A ticker that is not empty stands in for the ticker
// column.
func (t *table) read(ctx context.Context, r io.Reader, name, ticker string) error {
	plain := bufio.NewReaderSize(r, bufferSize)
	if magic, _ := plain.Peek(2); string(magic) == "\x1f\x8b" {
		unzipped, stop := gunzip(plain)
		defer stop()
		return t.readCSV(ctx, newRowReader(unzipped), name, ticker)
	}
	rows := newRowReader(plain)
	if err := t.readCSV(ctx, rows, name, ticker); err != nil {
		return err
	}
	if rows.limit.last != '\n' {
		t.truncated = append(t.truncated, name)
	}
	return nil
}

// gunzip decompresses r in its own goroutine, because that takes about as long as parsing the
// result. The goroutine has ended when stop returns.
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
