package market

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// rowReader reads the rows of a CSV and trims the space around their fields.
type rowReader struct {
	csv   *csv.Reader
	limit *rowLimit
	line  int // of the last row or error; the first line is 1
}

func newRowReader(r io.Reader) *rowReader {
	limit := &rowLimit{r: r}
	buffered := bufio.NewReaderSize(limit, bufferSize)
	if mark, _ := buffered.Peek(3); string(mark) == "\xef\xbb\xbf" {
		buffered.Discard(len(mark))
	}
	in := csv.NewReader(buffered)
	in.ReuseRecord = true
	return &rowReader{csv: in, limit: limit}
}

// next returns the next row, valid until the following call, or io.EOF.
func (r *rowReader) next() ([]string, error) {
	start := r.csv.InputOffset()
	r.limit.start = start
	record, err := r.csv.Read()
	if err != nil {
		return nil, r.fault(record, err)
	}
	r.line, _ = r.csv.FieldPos(0)
	if r.csv.InputOffset()-start > maxRow {
		return nil, errRow
	}
	for i, field := range record {
		record[i] = strings.TrimSpace(field)
	}
	return record, nil
}

// fault sets the line of an error and returns a message without it.
func (r *rowReader) fault(record []string, err error) error {
	var bad *csv.ParseError
	if !errors.As(err, &bad) {
		if err != io.EOF {
			r.line++
		}
		return err
	}
	r.line = bad.StartLine
	if bad.Err == csv.ErrFieldCount {
		return fmt.Errorf("%d fields, but %d in the header", len(record), r.csv.FieldsPerRecord)
	}
	return bad.Err
}

// maxRow is the length in bytes of the longest row, enough for 100,000 tickers side by side.
const maxRow = 1 << 20

var errRow = fmt.Errorf("a row of more than %d bytes", maxRow)

// rowLimit stops reading when a row has outgrown maxRow by more than a buffer. Otherwise a file
// without line ends, or with an open quote, would be held in memory whole.
type rowLimit struct {
	r     io.Reader
	read  int64
	start int64 // offset of the current row
	last  byte  // that was read
}

func (l *rowLimit) Read(p []byte) (int, error) {
	if l.read-l.start > maxRow+bufferSize {
		return 0, errRow
	}
	n, err := l.r.Read(p)
	if n > 0 {
		l.last = p[n-1]
	}
	l.read += int64(n)
	return n, err
}
