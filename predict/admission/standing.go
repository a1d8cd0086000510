package admission

import "time"

// standing tells for how long a queue has not been empty, from how long probes take that pass
// through it one after the other.
type standing struct {
	empty    time.Duration // a probe that takes less has found nobody before it
	interval time.Duration // how long a queue must stand to be more than a burst

	stands bool
	// when the first probe was back that found a queue: one alone may be late because all stood
	// still
	since time.Duration
}

// saw notes a probe that is back, and reports whether it found a queue.
func (s *standing) saw(took, now time.Duration) bool {
	found := took >= s.empty
	if found && !s.stands {
		s.since = now
	}
	s.stands = found
	return found
}

// long reports whether the queue has stood for longer than a burst.
func (s *standing) long(now time.Duration) bool { return s.stands && now-s.since >= s.interval }
