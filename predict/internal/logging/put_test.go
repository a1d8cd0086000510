package logging

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
)

// TestPutAfterTheEnd is what Handle does when the goroutine ends between its check and its put.
func TestPutAfterTheEnd(t *testing.T) {
	var out bytes.Buffer
	h := NewHandler(&out, nil)
	if err := h.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	h.put(entry{h.inner, slog.Record{Message: "late"}})
	if out.Len() != 0 || h.Dropped() != 1 || len(h.records) != 0 {
		t.Errorf("got %q, %d dropped and %d queued; want nothing, 1 and none", out.String(),
			h.Dropped(), len(h.records))
	}
}
