package logging

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
)

const (
	capacity = 2048     // records that wait at most; at 300 bytes each, what a blocked writer costs
	batch    = 64 << 10 // bytes formatted for one write, which is most of the cost of a line
)

// Handler is a slog.Handler that queues records; one goroutine formats and writes them. When the
// queue is full, because a pipe has no reader or a disk is slow, it drops records and counts them.
// Values that a record holds must not change after it was logged. It is safe for concurrent use.
type Handler struct {
	*queue
	inner slog.Handler // formats into queue.buf
}

type queue struct {
	w       io.Writer
	records chan entry
	stop    chan struct{} // closed by Close
	ended   chan struct{} // closed before the goroutine looks at records for the last time
	done    chan struct{} // closed when the goroutine has ended
	once    sync.Once
	buf     bytes.Buffer // used by the goroutine only
	pending uint64       // records in buf
	dropped atomic.Uint64
}

// An entry is a record with the handler that knows its groups and attributes.
type entry struct {
	inner  slog.Handler
	record slog.Record
}

// NewHandler returns a handler that writes to w and starts its goroutine; Close ends it. format
// makes the handler that formats; nil means JSON, one line a record.
func NewHandler(w io.Writer, format func(io.Writer) slog.Handler) *Handler {
	if format == nil {
		format = func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) }
	}
	q := &queue{
		w:       w,
		records: make(chan entry, capacity),
		stop:    make(chan struct{}),
		ended:   make(chan struct{}),
		done:    make(chan struct{}),
	}
	go q.write()
	return &Handler{q, format(&q.buf)}
}

// Enabled reports whether records of a level are written.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.inner.Enabled(ctx, level)
}

// Handle queues a record or drops it. It never blocks and never fails.
func (h *Handler) Handle(_ context.Context, r slog.Record) error {
	select {
	case <-h.stop: // the goroutine may have ended
		h.dropped.Add(1)
		return nil
	default:
		h.put(entry{h.inner, r})
	}
	return nil
}

// put queues an entry or drops it. The goroutine may end between any two steps of this. If it has
// not yet when put looks, it will look at the queue once more; if it has, put takes an entry out
// again.
func (q *queue) put(e entry) {
	select {
	case q.records <- e:
	default:
		q.dropped.Add(1)
	}
	select {
	case <-q.ended:
		select {
		case <-q.records:
			q.dropped.Add(1)
		default:
		}
	default:
	}
}

// WithAttrs returns a handler that adds attrs to each record, over the same queue.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Handler{h.queue, h.inner.WithAttrs(attrs)}
}

// WithGroup returns a handler that puts the attributes of each record into a group, over the same
// queue.
func (h *Handler) WithGroup(name string) slog.Handler {
	return &Handler{h.queue, h.inner.WithGroup(name)}
}

// Dropped returns the number of records that were lost: the queue was full, or writing failed.
func (q *queue) Dropped() uint64 { return q.dropped.Load() }

// Close writes what is queued and ends the goroutine. When ctx ends first the rest may be lost, and
// the error is ctx's. Records that come later are dropped.
func (q *queue) Close(ctx context.Context) error {
	q.once.Do(func() { close(q.stop) })
	select {
	case <-q.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// write formats records, and writes them when no more are queued or a batch is full.
func (q *queue) write() {
	defer close(q.done)
	for {
		select {
		case e := <-q.records:
			q.format(e)
		default:
			q.flush()
			select {
			case e := <-q.records:
				q.format(e)
			case <-q.stop:
				close(q.ended)
				q.drain()
				return
			}
		}
	}
}

// drain writes what is queued.
func (q *queue) drain() {
	for {
		select {
		case e := <-q.records:
			q.format(e)
		default:
			q.flush()
			return
		}
	}
}

func (q *queue) format(e entry) {
	if e.inner.Handle(context.Background(), e.record) != nil {
		q.dropped.Add(1)
		return
	}
	q.pending++
	if q.buf.Len() >= batch {
		q.flush()
	}
}

// flush writes the buffer. It does not try again: the next lines have a better chance.
func (q *queue) flush() {
	if q.buf.Len() == 0 {
		return
	}
	if _, err := q.w.Write(escapeControls(q.buf.Bytes())); err != nil {
		q.dropped.Add(q.pending)
	}
	q.buf.Reset()
	q.pending = 0
}
