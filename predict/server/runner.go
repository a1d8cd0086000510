package server

import (
	"context"
	"sync"
)

// A runner runs one job at a time for many callers. A caller that comes during a run gets the next
// one, which sees what changed after the present one began. All such callers share it: however many
// there are, one run is under way and one waits.
type runner struct {
	job  func(ctx context.Context, why string) error
	wake chan struct{} // of size 1

	mu   sync.Mutex
	next *run // nil: none is asked for
}

// A run is one execution of the job.
type run struct {
	why     string
	callers int           // that still want its result; guarded by runner.mu
	done    chan struct{} // closed at its end
	err     error         // valid then
}

func newRunner(job func(ctx context.Context, why string) error) *runner {
	return &runner{job: job, wake: make(chan struct{}, 1)}
}

// serve executes runs until ctx ends, which also ends the job.
func (r *runner) serve(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
		r.mu.Lock()
		now := r.next
		r.next = nil
		r.mu.Unlock()
		if now != nil {
			now.err = r.job(ctx, now.why)
			close(now.done)
		}
	}
}

// do returns the error of a run that begins after the call. When ctx ends first the error is ctx's;
// a run that has not begun and that no other caller waits for is then dropped.
func (r *runner) do(ctx context.Context, why string) error {
	mine := r.join(why)
	select {
	case <-mine.done:
		return mine.err
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if mine.callers--; mine.callers == 0 && mine == r.next {
		r.next = nil
	}
	return context.Cause(ctx)
}

// join asks for a run and does not wait for it.
func (r *runner) join(why string) *run {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next == nil {
		r.next = &run{why: why, done: make(chan struct{})}
	}
	r.next.callers++
	select {
	case r.wake <- struct{}{}:
	default: // woken already
	}
	return r.next
}
