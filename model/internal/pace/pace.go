// Package pace slows down work that no one waits for, so that a server which does it answers
// requests as fast as it does without.
//
// It is no scheduler: work under a context of [Slow] says itself how long each of its pieces takes,
// and sleeps in between.
package pace

import (
	"context"
	"time"
)

const (
	// slice is how long slow work goes on between two rests. It is what a request may have to wait
	// on a single core, and about what an answer over loopback takes.
	slice = 100 * time.Microsecond
	// rest is the shortest sleep that Linux and Go make of a short one. Yielding is not enough: the
	// scheduler looks for requests from the network only when it finds no goroutine to run.
	rest = time.Millisecond
)

type key struct{}

// Slow returns a context under which work takes one core, and about a tenth of it.
func Slow(ctx context.Context) context.Context {
	return context.WithValue(ctx, key{}, true)
}

// IsSlow reports whether ctx is of Slow.
func IsSlow(ctx context.Context) bool { return ctx.Value(key{}) != nil }

// A Pacer is for one goroutine. One of a context that is not slow does nothing.
type Pacer struct {
	slow  bool
	since time.Duration // work since the last rest
}

// Of returns the Pacer for work under ctx.
func Of(ctx context.Context) Pacer { return Pacer{slow: IsSlow(ctx)} }

// Worked says that work has been done which takes about so long, and rests if it is time to. The
// caller has measured it once: to read a clock would cost as much as some pieces of work do.
func (p *Pacer) Worked(took time.Duration) {
	if !p.slow {
		return
	}
	if p.since += took; p.since >= slice {
		p.since = 0
		time.Sleep(rest)
	}
}
