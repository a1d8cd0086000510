package fastlane

import (
	"net"
	"time"
)

// Waiting says for how long a connection has waited for its client.
type Waiting struct {
	Since time.Time // when the last complete request was answered, or it was accepted
	// Progress is when bytes last went either way in a request or an answer; zero between two.
	Progress time.Time
	Requests int // that it has had, or many
}

const (
	// RegularRequests are as many as only a client that is here to stay sends. For fresh after an
	// answer its connection makes no room: the next request may be on its way, and those who come
	// instead may be no clients at all. Any request is worth its part of that.
	RegularRequests = 16
	fresh           = 10 * RegularRequests * time.Millisecond

	// stall is how long no byte may have gone either way before a connection in the middle of a
	// request counts as idle: longer than it takes to send a lost packet again.
	stall = time.Second

	// stormStall takes its place when there is no other way to let in more than stormRejected new
	// connections a second: those that come may be the only ones that send a whole request.
	stormStall    = 25 * time.Millisecond
	stormRejected = 32
)

// rank returns when a connection that waits like this became idle, or somewhat later if it has had
// several requests. It reports false if it makes no room now.
func (l *Lane) rank(w Waiting, now time.Time) (rank time.Time, ok bool) {
	still, between := now.Sub(w.Progress), w.Progress.IsZero()
	switch {
	case between && w.Requests >= RegularRequests && now.Sub(w.Since) < fresh:
		return rank, false
	case between:
		n := min(w.Requests, RegularRequests)
		return w.Since.Add(time.Duration(n) * fresh / RegularRequests), true
	case still >= stall:
		return w.Since, true
	case still >= stormStall && l.storm.rages(l.now()):
		return w.Progress, true
	}
	return rank, false
}

// A storm counts rejected connections.
type storm struct {
	began    time.Duration // of the second that is counted
	rejected int
	until    time.Duration // as long as it rages
}

// reject closes a new connection.
func (l *Lane) reject(nc net.Conn) {
	l.rejected.Add(1)
	l.evicting.Lock()
	l.storm.count(l.now())
	l.evicting.Unlock()
	nc.Close()
}

func (s *storm) count(now time.Duration) {
	if now-s.began > time.Second {
		*s = storm{now, 0, s.until}
	}
	if s.rejected++; s.rejected > stormRejected {
		s.until = now + 10*time.Second
	}
}

func (s *storm) rages(now time.Duration) bool { return now < s.until }
