// Package logging has a slog.Handler that never blocks and a sampled access log with a line for
// each answer.
//
// It is not a log of record: lines that are not read in time are dropped and counted.
package logging

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// MaxPath is how much of a request's path is logged, in bytes.
const MaxPath = 256

// AccessLog writes a record for the answers that its [Rate] picks. It is safe for concurrent use if
// its handler is.
type AccessLog struct {
	handler slog.Handler
	rate    Rate
	shown   window // for Watched
}

// NewAccessLog returns a log that writes to h, which must not block; see [Handler]. It returns nil
// if the rate is Off.
func NewAccessLog(h slog.Handler, rate Rate) *AccessLog {
	if rate == Off {
		return nil
	}
	return &AccessLog{handler: h, rate: rate}
}

// Entry is what is known of an answer. Strings that are empty, and a zero Trace, are left out.
// Attrs stand at the end of the line.
type Entry struct {
	ID       string
	Trace    string // the client's traceparent, checked
	Key      string // the name of the client's API key
	Client   string // the client's address, if proxies stand between
	Remote   string // the address of the connection
	Method   string
	Path     string
	Proto    string
	Status   int
	Duration time.Duration
	Bytes    int64 // of the body
	Attrs    []slog.Attr
}

// Wants reports whether to write an answer with this status: every 5xx, and one in Rate of the
// others; if that is Watched, as many as a person can read. Ask before filling in an Entry, so that
// a request that is not logged costs no more.
func (l *AccessLog) Wants(status int) bool {
	if l.rate == Watched {
		return l.shown.admit(time.Now())
	}
	if l.rate == All || status >= 500 {
		return true
	}
	return rand.Uint32N(uint32(l.rate)) == 0
}

// Write writes a line.
func (l *AccessLog) Write(e *Entry) {
	r := slog.NewRecord(time.Now(), slog.LevelInfo, requestMessage, 0)
	r.AddAttrs(slog.String("id", e.ID), slog.Int("status", e.Status),
		slog.String("method", e.Method),
		slog.String("path", cut(e.Path)), slog.Int64("duration_us", e.Duration.Microseconds()),
		slog.Int64("bytes", e.Bytes), slog.String("remote", e.Remote),
		slog.String("proto", e.Proto),
		optional("client", e.Client), optional("key", e.Key), optional("traceparent", e.Trace))
	r.AddAttrs(e.Attrs...)
	if l.rate == Watched {
		r.AddAttrs(slog.Int64(unseenKey, l.shown.takeUnseen()))
	}
	l.handler.Handle(context.Background(), r)
}

const (
	requestMessage = "request" // of each record
	unseenKey      = "unseen"  // the attribute of answers that were not logged before this one
)

// optional is an attribute, or the empty one, which handlers leave out.
func optional(key, value string) slog.Attr {
	if value == "" {
		return slog.Attr{}
	}
	return slog.String(key, value)
}

func cut(path string) string {
	if len(path) <= MaxPath {
		return path
	}
	return strings.ToValidUTF8(path[:MaxPath], "") + "..."
}

// Rate is the number of answers for each line of the log.
type Rate uint32

// Rates by name.
const (
	Off Rate = 0
	All Rate = 1
	// Watched is as many as a person can read, perSecond, and how many there were besides.
	Watched Rate = math.MaxUint32
)

// perSecond is how many lines a person can follow.
const perSecond = 20

// A window admits perSecond events in each second and counts the others.
type window struct {
	second, admitted, unseen atomic.Int64
}

func (w *window) admit(now time.Time) bool {
	// Two goroutines at the turn of a second may admit a few more than perSecond.
	if second := now.Unix(); w.second.Swap(second) != second {
		w.admitted.Store(0)
	}
	if w.admitted.Load() >= perSecond || w.admitted.Add(1) > perSecond {
		w.unseen.Add(1)
		return false
	}
	return true
}

func (w *window) takeUnseen() int64 { return w.unseen.Swap(0) }

// ParseRate reads off, all, or 1/N.
func ParseRate(s string) (Rate, error) {
	switch s {
	case "off":
		return Off, nil
	case "all":
		return All, nil
	}
	if n, ok := strings.CutPrefix(s, "1/"); ok {
		if n, err := strconv.ParseUint(n, 10, 32); err == nil && n > 0 &&
			Rate(n) != Watched {
			return Rate(n), nil
		}
	}
	return 0, fmt.Errorf("rate %q is not off, all or 1/N", s)
}
