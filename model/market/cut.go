package market

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"slices"
)

// chunk returns a chunk for rows of f.
func (l *loader) chunk(f *file) *chunk {
	var c *chunk
	select {
	case c = <-l.free:
		if cap(c.text) > 2*chunkSize || c.end {
			c = nil
		}
	default:
	}
	if c == nil {
		c = &chunk{text: make([]byte, 0, chunkSize), parts: make(map[string]*part),
			done: make(chan struct{}, 1)}
	}
	c.use(f)
	return c
}

// cut reads a file and sends it to the workers in chunks of whole rows. The error is that of line,
// or of the file if line is 0.
func (l *loader) cut(ctx context.Context, f *file, r io.Reader) (line int, err error) {
	text, packed, err := decodeText(r, min(l.budget, 1<<30))
	if err != nil {
		return 1, err
	}
	c := l.chunk(f)
	err = fill(c, text)
	// The head has the header and some rows, be they as long as they may.
	for err == nil && len(c.text) < 4*maxRow && bytes.Count(c.text, []byte("\n")) < 2*maxPreamble {
		c.text = slices.Grow(c.text, len(c.text))
		err = fill(c, text)
	}
	head := c.text
	if err != nil && err != io.EOF && bytes.IndexByte(head, '\n') < 0 {
		return 1, err
	}
	pos, line, fault := f.start(head, err == io.EOF)
	if fault != nil {
		return line, fault
	}
	rows := splitter{separator: f.separator}
	c.text = c.text[:copy(c.text, c.text[pos:])]
	for {
		n := len(c.text)
		if err != io.EOF {
			n = rows.lastRow(c.text)
		} else if n > 0 && c.text[n-1] != '\n' && !packed {
			f.truncated = true
		}
		if n == 0 && err == nil {
			if len(c.text) > maxRow {
				return line, errRow
			}
			c.text = slices.Grow(c.text, max(len(c.text), chunkSize))
			err = fill(c, text)
			continue
		}
		next := l.chunk(f)
		next.text = append(next.text, c.text[n:]...)
		c.text, c.line = c.text[:n], line
		line += bytes.Count(c.text, []byte("\n"))
		l.work <- c
		l.queue <- c
		switch c = next; {
		case err == io.EOF:
			return 0, nil
		case err != nil:
			return line, err
		case ctx.Err() != nil || f.stopped.Load():
			return 0, ctx.Err()
		}
		err = fill(c, text)
	}
}

// fill reads until the text of a chunk has no more room.
func fill(c *chunk, r *bufio.Reader) error {
	if len(c.text) == cap(c.text) {
		c.text = slices.Grow(c.text, chunkSize)
	}
	n, err := io.ReadFull(r, c.text[len(c.text):cap(c.text)])
	c.text = c.text[:len(c.text)+n]
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	return err
}
