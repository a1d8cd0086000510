package fastlane

import (
	"net"
	"slices"
	"time"
)

// An Evictable is an open connection that may have to make room for a new one.
type Evictable interface {
	// Waits reports whether the connection waits for its client. It does not while the server works
	// on a request, nor when it is leaving already.
	Waits() (w Waiting, ok bool)

	// Evict closes the connection. Between two requests it does so soon, unless a request begins
	// before. It calls left once, when the connection is closed or stays after all. It reports
	// whether the connection still waited.
	Evict(left func()) bool
}

// Waiting says for how long a connection has waited for its client.
type Waiting struct {
	Since time.Time // when the last complete request was answered, or it was accepted
	// Progress is when bytes last went either way in a request or an answer; zero between two.
	Progress time.Time
	Regular  bool // it has had RegularRequests
}

const (
	// RegularRequests are as many as only a client that is here to stay sends.
	RegularRequests = 32

	// fresh is how long after an answer a regular connection makes no room: its next request may be
	// on its way, and those who come instead may be no clients at all.
	fresh = 100 * time.Millisecond

	// stall is how long no byte may have gone either way before a connection in the middle of a
	// request counts as idle: longer than it takes to send a lost packet again.
	stall = time.Second

	// stormStall takes its place when there is no other way to let in more than stormRejected new
	// connections a second: those that come may be the only ones that send a whole request.
	stormStall    = 25 * time.Millisecond
	stormRejected = 32
)

const (
	// maxLeaving bounds the connections that are asked to make room at once, and so how many are
	// open beyond MaxConns. Each takes about graceRead.
	maxLeaving = 64

	// orderAge is how long an order of connections is used. After that, connections whose requests
	// have stalled since belong to it too.
	orderAge = time.Second

	// fewConns are looked through in microseconds, so that may be done at any time.
	fewConns = 512

	// patience is how long a new connection waits for others to leave. They take milliseconds, but
	// a TLS connection may take longer to say that it ends.
	patience = 250 * time.Millisecond

	// LeaveTime is how long a TLS connection that makes room may take to say that it ends, to a
	// client that may read nothing.
	LeaveTime = 50 * time.Millisecond
)

// MaxLeaving returns how many connections may be open beyond a MaxConns for a moment, while they
// make room.
func MaxLeaving(maxConns int) int { return min((maxConns+7)/8, maxLeaving) }

// An order is a list of the connections that were idle when it was made, the longest idle last. It
// stays right while it is used up: whichever connection has had a request since is more recent than
// all others in it, and so are new ones. Making it takes a look at every connection, but serves as
// many evictions as it has entries.
type order struct {
	list []candidate
	made time.Duration
	rest time.Duration // no new one is made before, because the last one found so little
}

type candidate struct {
	Waiting
	conn Evictable
	rank time.Time // the least is evicted first
}

// rank returns when the connection that waits like this became idle.
func (l *Lane) rank(w Waiting, now time.Time) (rank time.Time, ok bool) {
	still, between := now.Sub(w.Progress), w.Progress.IsZero()
	switch {
	case between && w.Regular && now.Sub(w.Since) < fresh:
		return rank, false
	case between || still >= stall:
		return w.Since, true
	case still >= stormStall && l.storm.rages(l.now()):
		return w.Progress, true
	}
	return rank, false
}

// evict asks the connection that has been idle longest to make room. It reports false if there is
// none.
func (l *Lane) evict() bool {
	l.evicting.Lock()
	defer l.evicting.Unlock()
	o := &l.order
	for again := false; ; again = true {
		if l.now()-o.made > orderAge {
			o.list = nil
		}
		for n := len(o.list); n > 0; n = len(o.list) {
			next := o.list[n-1]
			o.list[n-1], o.list = candidate{}, o.list[:n-1]
			if w, ok := next.conn.Waits(); !ok || w != next.Waiting {
				continue
			}
			l.leaving.Add(1)
			if next.conn.Evict(l.left) {
				l.evicted.Add(1)
				return true
			}
			l.leaving.Add(-1)
		}
		if again || l.now() < o.rest {
			return false
		}
		l.sortIdle()
	}
}

// sortIdle makes a new order.
func (l *Lane) sortIdle() {
	begin, now := l.now(), time.Now()
	var list []candidate
	add := func(c Evictable) {
		if w, ok := c.Waits(); ok {
			if rank, ok := l.rank(w, now); ok {
				list = append(list, candidate{w, c, rank})
			}
		}
	}
	l.mu.Lock()
	for c := range l.conns {
		add(c)
	}
	l.mu.Unlock()
	if l.cfg.HandedOver != nil {
		for c := range l.cfg.HandedOver {
			add(c)
		}
	}
	slices.SortFunc(list, func(a, b candidate) int { return b.rank.Compare(a.rank) })
	end := l.now()
	l.order = order{list: list, made: end}
	if l.open.Load() > fewConns {
		// When nearly all are busy, looking for the others takes a tenth of a core at most.
		l.order.rest = end + 10*(end-begin)/time.Duration(1+len(list))
	}
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

// left notes that a connection which was asked to make room is closed, or stays after all.
func (l *Lane) left() {
	l.leaving.Add(-1)
	l.signalRoom()
}

// signalRoom wakes the accepting goroutine if it waits for room.
func (l *Lane) signalRoom() {
	select {
	case l.room <- struct{}{}:
	default:
	}
}

// makeRoom reports whether there is room for one more connection, if need be because others leave.
func (l *Lane) makeRoom() bool {
	if l.cfg.MaxConns <= 0 {
		return true
	}
	var late <-chan time.Time
	for l.open.Load()-l.leaving.Load() >= int64(l.cfg.MaxConns) {
		if l.leaving.Load() < int64(MaxLeaving(l.cfg.MaxConns)) {
			if !l.evict() {
				return false
			}
			continue
		}
		if late == nil {
			late = time.After(patience)
		}
		select {
		case <-l.room:
		case <-late:
			return false
		case <-l.halt:
			return true // stop wants what is already accepted to be answered
		}
	}
	return true
}

// Waits implements Evictable.
func (c *conn) Waits() (w Waiting, ok bool) {
	if c.evicting.Load() != stay {
		return w, false
	}
	if p := c.progress.Load(); p != 0 {
		w.Progress = c.lane.epoch.Add(time.Duration(max(p, -p)))
	}
	w.Since = c.lane.epoch.Add(time.Duration(c.idleSince.Load()))
	w.Regular = c.regular.Load()
	return w, true
}

// Evict implements Evictable. The connection's own goroutine decides, with the same short read that
// ends idle connections when the lane stops, so that no request is lost which has arrived.
func (c *conn) Evict(func()) bool {
	c.lane.mu.Lock()
	defer c.lane.mu.Unlock()
	if c.busy && !c.shaking {
		return false
	}
	c.evictIdle, c.evictProgress = c.idleSince.Load(), c.progress.Load()
	c.evicting.Store(leave)
	if c.shaking {
		c.socket.Close()
		return true
	}
	c.socket.SetReadDeadline(time.Unix(1, 0))
	if c.evictProgress < 0 {
		c.socket.SetWriteDeadline(time.Unix(1, 0))
	}
	return true
}

// Values of conn.evicting.
const (
	stay int32 = iota
	leave
)

// evicted reports whether the connection shall make room: it is asked to, and nothing has come
// since.
func (c *conn) evicted() bool {
	if c.evicting.Load() == stay {
		return false
	}
	if c.idleSince.Load() == c.evictIdle && c.progress.Load() == c.evictProgress {
		return true
	}
	c.spare()
	return false
}

// spare lets an evicted connection stay, because a request has begun or was answered.
func (c *conn) spare() {
	if !c.lane.stopping.Load() {
		c.stopSeen = 0
	}
	c.readBy = unknown
	c.evicting.Store(stay)
	c.lane.left()
}

// publish tells evict what the connection waits for. It costs a cached hit one atomic store.
func (c *conn) publish() {
	c.idleSince.Store(int64(c.ended))
	if len(c.unread()) > 0 {
		c.progress.Store(int64(c.lane.now()))
	} else if c.progress.Load() != 0 {
		c.progress.Store(0)
	}
}
