package logging

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// lines is a slog.Handler for a person: the time of day, the level unless it is INFO, the message
// and the attributes. An entry of the access log is shorter still: what was asked, what came of it
// and how long that took; the rest is in the JSON. It is not safe for concurrent use, and needs no
// lock behind a [Handler].
type lines struct {
	w      io.Writer
	buf    *bytes.Buffer // what attrs has written
	attrs  slog.Handler  // writes the attributes of a record only
	colour bool
}

// Lines returns a format for [NewHandler] that a person reads on a terminal. With colour set,
// statuses and levels that need attention stand out.
func Lines(colour bool) func(io.Writer) slog.Handler {
	return func(w io.Writer) slog.Handler {
		buf := new(bytes.Buffer)
		attrs := slog.NewTextHandler(buf, &slog.HandlerOptions{ReplaceAttr: onlyAttrs})
		return &lines{w, buf, attrs, colour}
	}
}

// onlyAttrs takes away the level and the message, which lines writes itself.
func onlyAttrs(groups []string, a slog.Attr) slog.Attr {
	_, isLevel := a.Value.Any().(slog.Level)
	if len(groups) == 0 && (a.Key == slog.LevelKey && isLevel ||
		a.Key == slog.MessageKey && a.Value.String() == "") {
		return slog.Attr{}
	}
	return a
}

// Enabled reports whether records of a level are written.
func (l *lines) Enabled(ctx context.Context, level slog.Level) bool {
	return l.attrs.Enabled(ctx, level)
}

// WithAttrs returns a handler that adds attrs to each record.
func (l *lines) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &lines{l.w, l.buf, l.attrs.WithAttrs(attrs), l.colour}
}

// WithGroup returns a handler that puts the attributes of each record into a group.
func (l *lines) WithGroup(name string) slog.Handler {
	return &lines{l.w, l.buf, l.attrs.WithGroup(name), l.colour}
}

// Handle writes one line.
func (l *lines) Handle(ctx context.Context, r slog.Record) error {
	line := make([]byte, 0, 128)
	if !r.Time.IsZero() {
		line = append(r.Time.AppendFormat(line, time.TimeOnly), ' ')
	}
	if r.Message == requestMessage {
		line = append(l.appendRequest(line, &r), '\n')
		_, err := l.w.Write(line)
		return err
	}
	if r.Level != slog.LevelInfo {
		line = append(l.paint(line, r.Level.String(), levelColour(r.Level)), ' ')
	}
	line = append(line, plain(r.Message)...)
	rest := slog.NewRecord(time.Time{}, r.Level, "", 0)
	r.Attrs(func(a slog.Attr) bool { rest.AddAttrs(a); return true })
	l.buf.Reset()
	if err := l.attrs.Handle(ctx, rest); err != nil {
		return err
	}
	if l.buf.Len() > 1 { // more than the line break
		line = append(line, ' ')
	}
	_, err := l.w.Write(append(line, l.buf.Bytes()...))
	return err
}

// appendRequest appends an entry of the access log: 200 POST /predict 112us.
func (l *lines) appendRequest(line []byte, r *slog.Record) []byte {
	var method, path string
	var status, unseen int64
	var took time.Duration
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "status":
			status = a.Value.Int64()
		case "method":
			method = a.Value.String()
		case "path":
			path = a.Value.String()
		case "duration_us":
			took = time.Duration(a.Value.Int64()) * time.Microsecond
		case unseenKey:
			unseen = a.Value.Int64()
		}
		return true
	})
	if unseen > 0 {
		line = fmt.Appendf(line, "(%d more were not shown)\n", unseen)
		line = append(r.Time.AppendFormat(line, time.TimeOnly), ' ')
	}
	line = l.paint(line, strconv.FormatInt(status, 10), statusColour(status))
	return fmt.Appendf(line, " %s %s %s", plain(method), plain(path), briefly(took))
}

// briefly writes a duration with three digits at most, in the unit that suits it.
func briefly(d time.Duration) string {
	unit, name := time.Microsecond, "us"
	switch {
	case d >= time.Second:
		unit, name = time.Second, "s"
	case d >= time.Millisecond:
		unit, name = time.Millisecond, "ms"
	}
	n := float64(d) / float64(unit)
	if n >= 99.95 || unit == time.Microsecond {
		return fmt.Sprintf("%.0f%s", n, name)
	}
	return fmt.Sprintf("%.1f%s", n, name)
}

// plain returns text that fills no more than its place on a line and that a terminal does not obey.
func plain(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

const (
	red    = "31"
	yellow = "33"
)

func levelColour(level slog.Level) string {
	if level >= slog.LevelError {
		return red
	}
	return yellow
}

func statusColour(status int64) string {
	switch {
	case status >= 500:
		return red
	case status >= 400:
		return yellow
	}
	return ""
}

func (l *lines) paint(line []byte, text, colour string) []byte {
	if !l.colour || colour == "" {
		return append(line, text...)
	}
	return fmt.Appendf(line, "\x1b[%sm%s\x1b[0m", colour, text)
}
