package logging_test

import (
	"bytes"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"testing/slogtest"
	"testing/synctest"
	"time"

	"tickercast/predict/internal/logging"
)

// TestLinesIsASlogHandler runs the standard library's own test of handlers.
func TestLinesIsASlogHandler(t *testing.T) {
	var out bytes.Buffer
	err := slogtest.TestHandler(logging.Lines(false)(&out), func() (all []map[string]any) {
		for line := range strings.Lines(out.String()) {
			all = append(all, parseLine(t, strings.TrimSuffix(line, "\n")))
		}
		return all
	})
	if err != nil {
		t.Error(err)
	}
}

// parseLine reads a line of Lines: the time if it is there, a message of one word, attributes.
func parseLine(t *testing.T, line string) map[string]any {
	t.Helper()
	m := map[string]any{slog.LevelKey: slog.LevelInfo}
	if _, err := time.Parse(time.TimeOnly, line[:min(len(line), len(time.TimeOnly))]); err == nil {
		m[slog.TimeKey], line = time.Now(), line[len(time.TimeOnly)+1:]
	}
	words := strings.Fields(line)
	m[slog.MessageKey] = words[0]
	for _, attr := range words[1:] {
		key, value, ok := strings.Cut(attr, "=")
		if !ok {
			t.Fatalf("line %q has %q", line, attr)
		}
		at := m
		for {
			group, rest, ok := strings.Cut(key, ".")
			if !ok {
				break
			}
			if at[group] == nil {
				at[group] = map[string]any{}
			}
			at, key = at[group].(map[string]any), rest
		}
		at[key] = value
	}
	return m
}

func logged(colour bool, log func(*slog.Logger)) string {
	var out bytes.Buffer
	log(slog.New(logging.Lines(colour)(&out)))
	return regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d `).ReplaceAllString(out.String(), "")
}

func TestLines(t *testing.T) {
	for _, tt := range []struct {
		log           func(*slog.Logger)
		plain, colour string
	}{
		{func(l *slog.Logger) { l.Info("draining", "delay", "5s") }, "draining delay=5s\n", ""},
		{func(l *slog.Logger) { l.Info("alone") }, "alone\n", ""},
		{func(l *slog.Logger) { l.Warn("old", "as_of", "2026-02-18") }, "WARN old as_of=2026-02-18\n",
			"\x1b[33mWARN\x1b[0m old as_of=2026-02-18\n"},
		{func(l *slog.Logger) { l.Error("bad", "file", "a b") }, "ERROR bad file=\"a b\"\n",
			"\x1b[31mERROR\x1b[0m bad file=\"a b\"\n"},
		{func(l *slog.Logger) { l.With("a", 1).WithGroup("g").Info("m", "b", 2) }, "m a=1 g.b=2\n", ""},
		{func(l *slog.Logger) { l.Info("a\x1b[31mb\n", "msg", "x", "level", "y") },
			`"a\x1b[31mb\n" msg=x level=y` + "\n", ""},
		{func(l *slog.Logger) { l.Debug("not shown") }, "", ""},
	} {
		if got := logged(false, tt.log); got != tt.plain {
			t.Errorf("got %q, want %q", got, tt.plain)
		}
		if tt.colour == "" {
			tt.colour = tt.plain
		}
		if got := logged(true, tt.log); got != tt.colour {
			t.Errorf("got %q, want %q", got, tt.colour)
		}
	}
}

func TestRequestLines(t *testing.T) {
	for _, tt := range []struct {
		entry logging.Entry
		want  string
	}{
		{logging.Entry{Method: "POST", Path: "/predict", Status: 200, Duration: 112 * time.Microsecond,
			Attrs: []slog.Attr{slog.String("ticker", "AAPL")}}, "200 POST /predict 112us\n"},
		{logging.Entry{Method: "GET", Path: "/a b\x1b[2J\u202e", Status: 404, Duration: 999_499},
			"404 GET \"/a b\\x1b[2J\\u202e\" 999us\n"},
		{logging.Entry{Method: "GET", Path: "/é", Status: 503, Duration: 1234 * time.Microsecond},
			"503 GET /é 1.2ms\n"},
		{logging.Entry{Method: "GET", Path: "/", Status: 200, Duration: 123 * time.Millisecond},
			"200 GET / 123ms\n"},
		{logging.Entry{Method: "GET", Path: "/", Status: 200, Duration: 2040 * time.Millisecond},
			"200 GET / 2.0s\n"},
	} {
		got := logged(false, func(l *slog.Logger) {
			logging.NewAccessLog(l.Handler(), logging.All).Write(&tt.entry)
		})
		if got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
		coloured := logged(true, func(l *slog.Logger) {
			logging.NewAccessLog(l.Handler(), logging.All).Write(&tt.entry)
		})
		if strings.Contains(coloured, "\x1b[3") != (tt.entry.Status >= 400) {
			t.Errorf("got %q, want a colour for what went wrong only", coloured)
		}
	}
}

// TestWatched wants 20 lines a second, errors included, and the number of the others.
func TestWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Second - time.Duration(time.Now().Nanosecond()))
		var out bytes.Buffer
		l := logging.NewAccessLog(logging.Lines(false)(&out), logging.Watched)
		ask := func(n int) {
			for range n {
				if l.Wants(503) {
					l.Write(&logging.Entry{Method: "GET", Path: "/", Status: 503})
				}
			}
		}
		for _, tt := range []struct{ asked, shown int }{{5, 5}, {100, 15}} {
			out.Reset()
			ask(tt.asked)
			if n := strings.Count(out.String(), " GET / "); n != tt.shown {
				t.Errorf("%d of %d lines, want %d", n, tt.asked, tt.shown)
			}
		}
		time.Sleep(time.Second)
		out.Reset()
		ask(2)
		if want := "(85 more were not shown)"; strings.Count(out.String(), want) != 1 ||
			strings.Count(out.String(), " GET / ") != 2 {
			t.Errorf("got %q, want %q once, and two lines", out.String(), want)
		}
	})
	if _, err := logging.ParseRate("1/4294967295"); err == nil {
		t.Error("a rate of 1/N is taken for Watched")
	}
}
