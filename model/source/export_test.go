package source

import "time"

// Hurry has a Loader wait for a server no longer than stall or total, and look again at once.
func (l *Loader) Hurry(stall, total time.Duration) {
	l.remote.times = times{stall: stall, total: total}
}
