package fastlane

import (
	"math/rand/v2"
	"time"
)

// checkShutdown reports whether the connection finds only now that the lane stops, or that it shall
// make room.
func (c *conn) checkShutdown() bool {
	if c.stopSeen != 0 || !c.lane.stopping.Load() && !c.evicted() {
		return false
	}
	c.stopSeen = c.lane.now()
	return true
}

const (
	// slack is how much later than necessary a deadline may be. Setting one is a noticeable part of
	// the cost of a request, so a busy connection keeps its deadline until that is too early.
	slack = 500 * time.Millisecond

	// eofCheck to twice that is how long the end of a fast client may go unnoticed: long enough to
	// set deadlines rarely, and short beside the time a client waits.
	eofCheck = 100 * time.Millisecond

	// restAfter is when an idle connection rests, which means that it gets a new goroutine. The
	// stack of the old one has grown to 4 KiB for requests, or to more for a handshake; a new one
	// that only waits has 2 KiB. After its first request, behind which many clients wait for long,
	// a connection rests at once. It does so only then because that costs as much as a third of a
	// request.
	restAfter = 5 * time.Second

	// graceRead is how long an idle connection stays open when the lane stops: a request may be on
	// its way.
	graceRead = 5 * time.Millisecond

	// graceFirst is how long a connection without a request stays open at least, from its start on,
	// if Shutdown has twice as much time: its client has just been let in, and may need a while for
	// the first bytes if it is busy.
	graceFirst = time.Second
)

// armRead sets the read deadline.
func (c *conn) armRead() {
	for {
		by, until := c.limit()
		if by <= c.readBy && c.readBy <= until {
			return
		}
		c.readBy = until
		if until == 0 {
			c.nc.SetReadDeadline(time.Time{})
		} else {
			c.nc.SetReadDeadline(c.lane.epoch.Add(until))
		}
		// stop sets its own deadline after stopping. If this one has replaced it, stopping is seen
		// here.
		if !c.checkShutdown() {
			return
		}
	}
}

// limit returns when the next bytes must be there, and the latest deadline that will do. Zeros mean
// that there is no limit.
func (c *conn) limit() (by, until time.Duration) {
	l := c.lane
	switch {
	case c.stopSeen != 0 && c.idle():
		by = c.stopSeen + graceRead
	case c.stopSeen != 0 && len(c.unread()) == 0:
		by = max(c.stopSeen+graceRead, c.began+time.Duration(l.graceFirst.Load()))
		if l.headerTimeout > 0 {
			by = min(by, c.began+l.headerTimeout)
		}
	case c.idle():
		if l.idleTimeout > 0 {
			by, until = c.ended+l.idleTimeout, c.ended+l.idleTimeout+slack
		}
		if rest := c.ended + restAfter; !c.rested && (by == 0 || rest < by) {
			by, until = rest, rest+slack
		}
		if check := c.ended + eofCheck; c.eofUnknown && (by == 0 || check < by) {
			by, until = check, check+eofCheck
		}
		return by, until
	case c.awaited == needBody:
		if l.readTimeout > 0 {
			by = c.began + l.readTimeout
		}
	case l.headerTimeout > 0:
		by = c.began + l.headerTimeout
	}
	return by, by
}

// expiry returns when a connection that is made now should end.
func (l *Lane) expiry(now time.Duration) time.Duration {
	age := l.cfg.MaxAge
	if age <= 0 {
		return 0
	}
	return now + age - age/10 + rand.N(age/5+1)
}

// now returns the time since the lane was made. It costs less than time.Now.
func (l *Lane) now() time.Duration { return time.Since(l.epoch) }
