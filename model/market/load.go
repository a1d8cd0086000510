package market

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tickercast/model/calendar"
)

// input is a file to read.
type input struct {
	name     string
	ticker   string // by its name
	inFolder bool
	open     func() (io.Reader, error) // closed if it is an io.Closer
}

const (
	bufferSize = 64 << 10
	chunkSize  = 256 << 10
)

// loader reads files. One goroutine cuts them into chunks, workers parse these, and another one
// puts the results together in their order.
type loader struct {
	options Options
	latest  calendar.Date
	budget  int64 // bytes of rows
	stopped atomic.Bool
	work    chan *chunk
	queue   chan *chunk // the same, in order
	free    chan *chunk

	used    int64
	columns map[string]*column // of all files
	report  *Report
	faults  []Fault
}

func newLoader(o Options) *loader {
	now := o.Now
	if now == nil {
		now = time.Now
	}
	n := 2 * runtime.GOMAXPROCS(0)
	l := &loader{
		options: o,
		latest:  calendar.FromTime(now().UTC()) + 1,
		budget:  math.MaxInt64,
		work:    make(chan *chunk, n),
		queue:   make(chan *chunk, n),
		free:    make(chan *chunk, 2*n+4),
		columns: make(map[string]*column),
		report:  new(Report),
	}
	// While rows become series, and while a server still has the prices before, both are held.
	if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 {
		l.budget = limit / 5 * 2
	}
	return l
}

// load reads all inputs. It returns the error of ctx as soon as a read returns after ctx has ended.
func (l *loader) load(ctx context.Context, inputs []input) (*Panel, error) {
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for c := range l.work {
				if !c.file.stopped.Load() {
					c.parse(ctx)
				}
				c.done <- struct{}{}
			}
		})
	}
	workers.Go(func() {
		defer close(l.queue)
		defer close(l.work)
		for _, in := range inputs {
			if l.stopped.Load() || ctx.Err() != nil {
				return
			}
			l.read(ctx, in)
		}
	})
	var err error
	for c := range l.queue {
		if !c.end {
			<-c.done
		}
		if err == nil {
			err = cmp.Or(ctx.Err(), l.merge(c))
		}
		if err != nil {
			l.stopped.Store(true)
			c.file.stopped.Store(true)
		}
		select {
		case l.free <- c:
		default:
		}
	}
	workers.Wait()
	l.free = nil
	if err = cmp.Or(ctx.Err(), err); err != nil {
		return nil, err
	}
	return l.panel(ctx)
}

// read cuts a file into chunks.
func (l *loader) read(ctx context.Context, in input) {
	f := &file{name: in.name, ticker: in.ticker, inFolder: in.inFolder,
		skipBad: l.options.SkipBad, latest: l.latest, columns: make(map[string]*column)}
	end := &chunk{file: f, end: true}
	r, err := in.open()
	if err == nil {
		if closer, ok := r.(io.Closer); ok {
			defer closer.Close()
			// Closing ends a read that waits for the writer of a pipe.
			defer context.AfterFunc(ctx, func() { closer.Close() })()
		}
		end.line, err = l.cut(ctx, f, r)
	}
	end.err = err
	l.queue <- end
}

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

// merge adds a chunk to its file, and a file that ends to the table.
func (l *loader) merge(c *chunk) error {
	f := c.file
	if f.fault != nil && (f.refused || !f.skipBad) && !c.end {
		return nil
	}
	if !c.end {
		l.used += f.merge(c)
		if l.used > l.budget {
			return &FaultsError{[]Fault{{File: f.name, Line: c.line, Message: fmt.Sprintf(
				"too many rows for the memory limit: they take more than %d MB", l.budget>>20)}}}
		}
		f.stopped.Store(f.fault != nil && (f.refused || !f.skipBad))
		return nil
	}
	if f.fault == nil || f.skipBad && !f.refused {
		if c.err != nil {
			f.fail(c.line, c.err, false)
		} else {
			f.finish()
		}
	}
	if f.fault != nil && !f.skipBad || f.refused {
		for _, col := range f.columns {
			l.used -= col.size()
		}
		f.columns = nil
	}
	l.take(f)
	r := l.report
	r.Missing += f.missing
	r.OtherSeries += f.otherSeries
	if f.truncated {
		r.Truncated = append(r.Truncated, f.name)
	}
	if f.fault != nil {
		l.faults = append(l.faults, *f.fault)
	}
	if f.refused {
		r.BadFiles = append(r.BadFiles, f.name)
	} else {
		r.BadRows += f.badRows
	}
	return nil
}

// take moves the columns of a file into the table.
func (l *loader) take(f *file) {
	for _, ticker := range slices.Sorted(maps.Keys(f.columns)) {
		c, have := f.columns[ticker], l.columns[ticker]
		if have == nil {
			l.columns[ticker] = c
			continue
		}
		l.used -= c.size() + have.size()
		if have.byName || c.byName || have.columns != c.columns {
			line := int32(math.MaxInt32)
			for _, b := range c.blocks {
				for _, k := range b.keys {
					line = min(line, k.line)
				}
			}
			f.fail(int(line), fmt.Errorf("ticker %q is also in %s", ticker, have.file), true)
			f.badRows += c.rows - 1
		} else {
			have.absorb(f, c)
		}
		l.used += have.size()
	}
	f.columns = nil // chunks that are kept for other files still know f
}

// panel makes a panel of the rows and releases their memory.
func (l *loader) panel(ctx context.Context) (*Panel, error) {
	if len(l.faults) > 0 && (!l.options.SkipBad || len(l.columns) == 0) {
		return nil, &FaultsError{l.faults}
	}
	if len(l.columns) == 0 {
		return nil, errors.New("no prices")
	}
	l.report.Faults = l.faults
	tickers := slices.Sorted(maps.Keys(l.columns))
	columns := make([]*column, len(tickers))
	for i, ticker := range tickers {
		columns[i] = l.columns[ticker]
	}
	l.columns = nil
	series := make([]Series, len(columns))
	var next atomic.Int32
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(columns) && ctx.Err() == nil; i = next.Add(1) - 1 {
				series[i] = columns[i].series()
				columns[i] = nil
			}
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return newPanel(series, l.report), nil
}
