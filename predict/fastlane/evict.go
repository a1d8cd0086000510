package fastlane

import (
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
// stays right while it is used up, but for what requests count: whichever connection has had one
// since is more recent than all others in it, and so are new ones. Making it takes a look at every
// connection, but serves as many evictions as it has entries.
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
	w.Requests = int(c.requests.Load())
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
