package market

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	files "tickercast/model/internal/file"
)

// Open reads a panel from a CSV file, or from all files in a folder that are named *.csv, *.csv.gz
// or *.csv.zip. If something cannot be read, the error is a *FaultsError that names every faulty
// file with its first fault. When ctx ends, Open returns its error within milliseconds.
//
// The first row is a header. Its names decide the form; the table of names has those that are
// known. In the long form, a row is a day of a ticker, or of the ticker that is the name of the
// file. In the wide form, the first column is the date, and every other one has the closes of the
// ticker in its header. Names like ACME.Close, and headers of two levels, as pandas writes, have
// the prices of several tickers side by side. A single file is in the long form if it has a
// ticker, close, adjusted close or volume, and a file in a folder always is.
//
// With an adjusted close, returns are those of adjusted closes, and the level of the prices is
// that of the closes. Open, high and low are dropped on days on which they do not fit each other or
// the close, as in some otherwise good files. A row without any price is no row.
//
// Rows may come in any order and on any weekday. A day may be repeated with the same close: its
// first row counts. Prices must be positive. Fields are separated by commas, semicolons or tabs;
// quotes, CRLF, a byte order mark, UTF-16, gzip and a zip with one CSV are understood.
func Open(ctx context.Context, path string, o Options) (*Panel, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	l := newLoader(o)
	inputs := []input{{name: path, ticker: stem(path), open: openFile(path, o.Pipes)}}
	if info.IsDir() {
		if inputs, err = l.list(path); err != nil {
			return nil, err
		}
	}
	return l.load(ctx, inputs)
}

// Read reads a panel as Open reads a file with a name. When ctx ends, r must return an error soon.
func Read(ctx context.Context, r io.Reader, name string, o Options) (*Panel, error) {
	open := func() (io.Reader, error) { return struct{ io.Reader }{r}, nil } // without its Close
	return newLoader(o).load(ctx, []input{{name: name, ticker: stem(name), open: open}})
}

func openFile(path string, pipe bool) func() (io.Reader, error) {
	return func() (io.Reader, error) {
		f, err := files.Open(path, pipe)
		if err != nil {
			return nil, err
		}
		return f, nil
	}
}

// stem returns the name of a file without its folder and what says how it is written.
func stem(path string) string {
	name := filepath.Base(path)
	for _, ext := range []string{".gz", ".zip", ".csv", ".txt", ".tsv"} {
		if n := len(name) - len(ext); n > 0 && strings.EqualFold(name[n:], ext) {
			name = name[:n]
		}
	}
	return withoutCopy(name)
}

// withoutCopy removes what a browser appends to the name of a second download: "ACME (1)".
func withoutCopy(name string) string {
	before, number, ok := strings.Cut(name, " (")
	if number, ok2 := strings.CutSuffix(number, ")"); ok && ok2 && before != "" && number != "" &&
		strings.Trim(number, "0123456789") == "" {
		return before
	}
	return name
}

// IsPriceFile reports whether Open reads a file with this name in a folder.
func IsPriceFile(name string) bool {
	base := strings.ToLower(name)
	base = strings.TrimSuffix(strings.TrimSuffix(base, ".gz"), ".zip")
	return !strings.HasPrefix(name, ".") && strings.HasSuffix(base, ".csv")
}

// list returns the files of a folder that are read, and reports the others. Hidden files are not
// even reported: systems leave them everywhere.
func (l *loader) list(path string) (inputs []input, err error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool)
	for copies := range 2 { // files that are copies by their name come last
		for _, e := range entries {
			name := e.Name()
			ticker := stem(name)
			isCopy := strings.Contains(name, ticker+" (")
			if strings.HasPrefix(name, ".") || isCopy != (copies == 1) {
				continue
			}
			if e.IsDir() || !IsPriceFile(name) || isCopy && seen[ticker] {
				l.report.Skipped = append(l.report.Skipped, filepath.Join(path, name))
				continue
			}
			seen[ticker] = true
			full := filepath.Join(path, name)
			inputs = append(inputs, input{full, ticker, true, openFile(full, false)})
		}
	}
	slices.Sort(l.report.Skipped)
	if len(inputs) == 0 {
		err = fmt.Errorf("%s: no .csv or .csv.gz file in the directory", path)
		if skipped := l.report.Skipped; len(skipped) > 0 {
			err = fmt.Errorf("%w, which has %s", err, filepath.Base(skipped[0]))
		}
	}
	return inputs, err
}
