package logging

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
)

// TestPutAfterTheEnd is a Handle that finds the handler open, and the writer gone by the time it
// queues its record.
func TestPutAfterTheEnd(t *testing.T) {
	var out bytes.Buffer
	h := New(&out, nil)
	if err := h.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	h.put(entry{h.inner, slog.Record{Message: "late"}})
	if out.Len() != 0 || h.Dropped() != 1 || len(h.records) != 0 {
		t.Errorf("got %q, %d dropped and %d queued; want nothing, 1 and none", out.String(),
			h.Dropped(), len(h.records))
	}
}
