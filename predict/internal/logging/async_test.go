package logging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"testing/synctest"
	"time"

	"tickercast/predict/internal/logging"
)

func closeHandler(t *testing.T, h *logging.Handler) {
	t.Helper()
	if err := h.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// TestIsASlogHandler runs the standard library's own test of handlers.
func TestIsASlogHandler(t *testing.T) {
	var out bytes.Buffer
	h := logging.NewHandler(&out, nil)
	err := slogtest.TestHandler(h, func() []map[string]any {
		closeHandler(t, h)
		var got []map[string]any
		for line := range strings.Lines(out.String()) {
			var m map[string]any
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				t.Fatalf("line %q: %v", line, err)
			}
			got = append(got, m)
		}
		return got
	})
	if err != nil {
		t.Error(err)
	}
}

// TestBlockedPipe logs into a pipe that is not read. No call blocks, what does not fit is counted,
// and when the pipe is read in the end, each record is there or was counted.
func TestBlockedPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	h := logging.NewHandler(w, nil)
	logger := slog.New(h)
	const records = 40_000 // 3 MB: far more than a pipe and the queue hold
	for i := range records {
		logger.Info("request", "n", i, "filler", strings.Repeat("x", 40))
	}
	dropped := h.Dropped()
	if dropped == 0 {
		t.Error("nothing was dropped: the pipe cannot have blocked")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := h.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close with a blocked writer: got %v, want its deadline", err)
	}
	lines := make(chan int)
	go func() {
		all, _ := io.ReadAll(r)
		lines <- bytes.Count(all, []byte("\n"))
	}()
	closeHandler(t, h)
	w.Close()
	if got := <-lines; uint64(got)+dropped != records {
		t.Errorf("%d lines and %d dropped, want %d together", got, dropped, records)
	}
}

// A slowWriter takes a second for each write.
type slowWriter struct {
	mu     sync.Mutex
	writes int
	bytes.Buffer
}

func (w *slowWriter) Write(b []byte) (int, error) {
	time.Sleep(time.Second)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes++
	return w.Buffer.Write(b)
}

func TestLinesAreWrittenTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(slowWriter)
		h := logging.NewHandler(w, nil)
		logger := slog.New(h)
		start := time.Now()
		logger.Info("first")
		synctest.Wait() // the writer is in Write
		for i := range 1000 {
			logger.Info("next", "i", i)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("logging took %v, want no time at all", took)
		}
		closeHandler(t, h)
		if lines := strings.Count(w.String(), "\n"); lines != 1001 || h.Dropped() != 0 {
			t.Errorf("%d lines, %d dropped; want 1001 and none", lines, h.Dropped())
		}
		if w.writes > 3 {
			t.Errorf("%d writes, want 2 or 3", w.writes)
		}
	})
}

func asText(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) }

func TestHandlerFormat(t *testing.T) {
	var out bytes.Buffer
	h := logging.NewHandler(&out, asText)
	slog.New(h).With("a", 1).Info("m")
	closeHandler(t, h)
	if !strings.HasSuffix(out.String(), " level=INFO msg=m a=1\n") {
		t.Errorf("got %q, want text", out.String())
	}
}

func TestAfterClose(t *testing.T) {
	var out bytes.Buffer
	h := logging.NewHandler(&out, nil)
	closeHandler(t, h)
	closeHandler(t, h)
	slog.New(h).Info("late")
	if out.Len() != 0 || h.Dropped() != 1 {
		t.Errorf("got %q and %d dropped, want nothing and 1", out.String(), h.Dropped())
	}
}

type failingWriter struct{ fail bool }

func (w *failingWriter) Write(b []byte) (int, error) {
	if w.fail {
		return 0, io.ErrClosedPipe
	}
	return len(b), nil
}

func TestFailedWritesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &failingWriter{fail: true}
		h := logging.NewHandler(w, nil)
		logger := slog.New(h)
		for range 3 {
			logger.Info("lost")
		}
		synctest.Wait()
		if got := h.Dropped(); got != 3 {
			t.Errorf("dropped %d, want 3", got)
		}
		w.fail = false // the disk has room again
		logger.Info("kept")
		closeHandler(t, h)
		if got := h.Dropped(); got != 3 {
			t.Errorf("dropped %d, want still 3", got)
		}
	})
}

func BenchmarkHandle(b *testing.B) {
	h := logging.NewHandler(io.Discard, nil)
	defer h.Close(context.Background())
	logger := slog.New(h)
	b.ReportAllocs()
	for b.Loop() {
		logger.LogAttrs(context.Background(), slog.LevelInfo, "m", slog.Int("a", 1))
	}
}

// TestCloseAmidRecords logs while the handler is closed. Each record is either written or counted.
func TestCloseAmidRecords(t *testing.T) {
	const loggers, each, rounds = 4, 20, 500
	for round := range rounds {
		var out bytes.Buffer
		h := logging.NewHandler(&out, asText)
		var wg sync.WaitGroup
		for range loggers {
			wg.Go(func() {
				for range each {
					h.Handle(context.Background(), slog.Record{Message: "m"})
				}
			})
		}
		closeHandler(t, h)
		wg.Wait()
		lines := bytes.Count(out.Bytes(), []byte("\n"))
		if uint64(lines)+h.Dropped() != loggers*each {
			t.Fatalf("round %d: %d lines and %d dropped, want %d together", round, lines,
				h.Dropped(), loggers*each)
		}
	}
}
