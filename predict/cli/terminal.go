package cli

import (
	"io"
	"log/slog"
	"os"
	"sync"

	"tickercast/predict/internal/logging"
)

// isTerminal reports whether a person reads what is written to w. Files and pipes are no character
// devices, and of the devices that are no terminals people only write to the null device.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

// hasColours reports whether a terminal shows colours and its owner wants them (no-color.org).
func (e *env) hasColours() bool {
	return e.vars["NO_COLOR"] == "" && e.vars["TERM"] != "" && e.vars["TERM"] != "dumb"
}

// logFormat is lines to read for a terminal, and JSON, which nil stands for, for programs.
func (e *env) logFormat(w io.Writer) func(io.Writer) slog.Handler {
	if !isTerminal(w) {
		return nil
	}
	return logging.Lines(e.hasColours())
}

// A screen is a terminal with a line of status below what is written to it. It is safe for
// concurrent use, and so are the writers above its status.
type screen struct {
	mu     sync.Mutex
	w      io.Writer
	status string // on the last line, which the next line will replace
}

const clearLine = "\r\x1b[K"

// over returns a writer of whole lines above the status. It writes to w, which is stderr or stdout:
// usually both are the same terminal.
func (s *screen) over(w io.Writer) io.Writer { return above{s, w} }

type above struct {
	screen *screen
	w      io.Writer
}

func (a above) Write(lines []byte) (int, error) {
	s := a.screen
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status == "" {
		return a.w.Write(lines)
	}
	io.WriteString(s.w, clearLine)
	n, err := a.w.Write(lines)
	io.WriteString(s.w, s.status)
	return n, err
}

// show replaces the status; an empty one clears the line.
func (s *screen) show(status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if status != s.status {
		s.status = status
		io.WriteString(s.w, clearLine+status)
	}
}
