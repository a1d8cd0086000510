package cli

import (
	"fmt"
	"io"
	"os"
	"time"
)

// A progress shows on one line of a terminal how far long work has come. In a pipe it is silent.
type progress struct {
	w     io.Writer // nil: not a terminal
	what  string
	start time.Time
	drawn time.Time
}

func (e *env) progress(what string) *progress {
	b := &progress{what: what, start: time.Now()}
	if isTerminal(e.stderr) {
		b.w = e.stderr
	}
	return b
}

// update draws at most ten times a second.
func (b *progress) update(done, total int) {
	now := time.Now()
	if b.w == nil || done < total && now.Sub(b.drawn) < 100*time.Millisecond {
		return
	}
	b.drawn = now
	left := "?"
	if done > 0 {
		each := now.Sub(b.start) / time.Duration(done)
		left = (each * time.Duration(total-done)).Round(time.Second).String()
	}
	fmt.Fprintf(b.w, "\r%s %3d %%, %s left\x1b[K", b.what, 100*done/max(total, 1), left)
}

// done clears the line.
func (b *progress) done() {
	if b.w != nil {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}

// isTerminal reports whether w is a character device, as a pipe and a file are not.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
