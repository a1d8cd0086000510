package main

import (
	"context"
	"io"
	"log/slog"
	"time"

	"tickercast/predict/asynclog"
	"tickercast/predict/metrics"
)

// logs are what a server writes: what happens to it on stderr, and what it answers on stdout.
// Nobody waits for either to be written.
type logs struct {
	logger         *slog.Logger
	server, access *asynclog.Handler
}

// logs are JSON for programs, and for a person at a terminal lines to read.
func (p *program) logs() *logs {
	l := &logs{server: asynclog.New(p.stderr, formatFor(p.stderr)),
		access: asynclog.New(p.stdout, nil)}
	l.logger = slog.New(l.server)
	return l
}

func formatFor(w io.Writer) func(io.Writer) slog.Handler {
	if isTerminal(w) {
		return func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) }
	}
	return nil
}

// close writes what is left, unless nobody takes it.
func (l *logs) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	l.server.Close(ctx)
	l.access.Close(ctx)
}

func (s *serving) registerLogs(l *logs) {
	for name, h := range map[string]*asynclog.Handler{"server": l.server, "access": l.access} {
		s.registry.CounterFunc("log_records_dropped_total",
			"Lines of a log that were not written, because nobody took them in time.",
			func() float64 { return float64(h.Dropped()) }, metrics.Label{Name: "log", Value: name})
	}
}
