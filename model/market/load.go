package market

import (
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
	rows    int                // of all files, for Progress
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
		l.budget = limit / 2
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

// merge adds a chunk to its file, and a file that ends to the table.
func (l *loader) merge(c *chunk) error {
	f := c.file
	if f.fault != nil && (f.refused || !f.skipBad) && !c.end {
		return nil
	}
	if !c.end {
		before := f.rows
		bytes := f.merge(c)
		if l.rows += f.rows - before; l.options.Progress != nil {
			l.options.Progress(l.rows)
		}
		f.bytes += bytes
		if l.used += bytes; l.used > l.budget {
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
	l.used -= f.bytes
	if f.fault != nil && !f.skipBad || f.refused {
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
			l.used += c.size()
			continue
		}
		l.used -= have.size()
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
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := next.Add(1); int(i) <= len(columns) && ctx.Err() == nil; i = next.Add(1) {
				series[i-1] = columns[i-1].series()
				columns[i-1] = nil
			}
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return newPanel(series, l.report), nil
}
