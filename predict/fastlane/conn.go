package fastlane

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"
)

// conn is a connection while it is the lane's. Its goroutine alone touches it, but for handing.
type conn struct {
	stream
	handing bool // guarded by Lane.mu: the deadlines are net/http's now

	answered bool    // there was a request before
	trimmed  bool    // of the request being read, the blank lines before it are dealt with
	awaited  verdict // of the request being read: partial or headed
	unsure   bool    // the other end may be closed without a sign of it; see converseRaw
	quick    int     // requests in a row that came close upon the one before

	// when the request being read began: the first one with the connection, others with their first
	// bytes
	began time.Duration
	ended time.Duration // when the last answer was made
	woken time.Duration // when the connection saw that the lane stops; 0 before
}

// outcome is what becomes of a connection.
type outcome int

const (
	stays outcome = iota
	closes
	leaves // for net/http
)

func newConn(l *Lane, nc net.Conn) *conn {
	c := &conn{began: l.now()}
	c.open(l, nc)
	return c
}

// serve answers requests until there is one that is not the lane's, or no more.
func (c *conn) serve() {
	defer c.lane.leave(c)
	if c.lane.cfg.Answer == nil || c.converse() == leaves {
		c.handOver()
	} else {
		c.nc.Close()
		c.lane.counts.open.Add(-1)
	}
	c.rest()
}

// converse reads and answers until the connection does not stay.
func (c *conn) converse() outcome {
	if c.raw.usable() {
		return c.converseRaw()
	}
	for {
		c.armRead()
		waited := c.waiting()
		o := stays
		if err := c.read(); err != nil {
			o = c.starved(err)
		} else {
			o = c.took(waited)
		}
		if o != stays {
			return o
		}
	}
}

// took is what to do when there is more unread than before, when the connection waited or not.
func (c *conn) took(waited bool) outcome {
	now := c.lane.now()
	if waited && !c.waiting() {
		c.began = now
	}
	return c.answer(now)
}

// waiting tells whether a request has yet to begin. As in net/http a first request begins with the
// connection, and another with its fourth byte.
func (c *conn) waiting() bool { return c.answered && !c.trimmed && len(c.unread()) < 4 }

// answer replies to every whole request that is there, in one write.
func (c *conn) answer(now time.Duration) (o outcome) {
	for o == stays && !c.waiting() && len(c.unread()) > 0 {
		if c.answered && !c.trimmed {
			// As net/http after a POST: blank lines are skipped, up to the four bytes that it looks
			// at.
			c.skip(blanks(c.unread()[:4]))
			c.trimmed = true
		}
		var r request
		r, c.awaited = c.work.memo.scan(&c.lane.grammar, c.unread())
		if c.awaited == foreign || c.awaited != plain && len(c.unread()) == MaxRequest {
			o = leaves
			break
		}
		if c.awaited != plain {
			break
		}
		if o = c.reply(&r, &now); o == leaves {
			break
		}
		c.skip(r.size)
		c.pace(now)
		c.answered, c.trimmed, c.awaited, c.ended = true, false, partial, now
		if len(c.work.out) > maxOut {
			if c.flush() != nil {
				return closes
			}
		}
	}
	if c.flush() != nil {
		return closes
	}
	return o
}

// pace counts the requests of a client that sends one after the other, and forgets them when it
// pauses.
func (c *conn) pace(now time.Duration) {
	if c.quick++; now-c.ended > lookAgain/5 {
		c.quick = 0
	}
}

// reply appends the answer to one request. It sets now to when that is done, if somebody wants to
// know. When a function of Config panics the request is left to net/http, where a panic is
// somebody's business.
func (c *conn) reply(r *request, now *time.Duration) (o outcome) {
	l, before := c.lane, len(c.work.out)
	defer func() {
		if v := recover(); v != nil {
			c.work.out, o = c.work.out[:before], leaves
			l.fault(fmt.Errorf("answering a request: panic: %v\n%s", v, debug.Stack()))
		}
	}()
	c.work.asked = r.parts
	a, ok := l.cfg.Answer(Request{r.body, c})
	if !ok {
		return leaves
	}
	closing := l.stopping.Load() || l.cfg.Draining != nil && l.cfg.Draining()
	status, h := http.StatusOK, &l.heads[0]
	id := r.id.of(c.unread())
	switch {
	case a.Refuse != nil:
		var refused refusal
		if len(id) == 0 && l.cfg.RequestID != nil {
			id = l.cfg.RequestID(nil)
		}
		refused, closing = l.refuse(a.Refuse, id, closing)
		status, h, a.Body, a.Field = refused.status, &refused.head, refused.body, nil
	case closing:
		h = &l.heads[1]
	}
	if closing {
		o = closes
	}
	c.work.out, id = l.appendReply(c.work.out, h, id, a.Field, a.Body, *now)
	if l.cfg.Observe != nil {
		end := l.now()
		l.cfg.Observe(Exchange{
			Remote: c.nc.RemoteAddr(), Client: a.Client, Status: status, ID: id,
			Trace:    r.trace.of(c.unread()),
			Duration: end - *now, Request: r.size, Body: len(a.Body),
		})
		*now = end
	}
	return o
}

// starved is what to do when reading failed. Half a request is net/http's, whose deadline is over
// too: it says what there is to say, from nothing at all to the handler's word for a body that did
// not come.
func (c *conn) starved(err error) outcome {
	late := errors.Is(err, os.ErrDeadlineExceeded)
	if late {
		if c.unsure {
			c.unsure = false // and look
			return stays
		}
		c.wake()
		if by, _ := c.limit(); by == 0 || c.lane.now() < by { // stop's deadline, not ours
			c.readBy = unknown
			return stays
		}
	}
	switch {
	case (late || errors.Is(err, io.EOF)) && !c.waiting() && len(c.unread()) > 0:
		return leaves
	case late && c.woken == 0:
		c.lane.counts.timedOut.Add(1)
	}
	return closes
}

// wake looks whether the lane stops.
func (c *conn) wake() (news bool) {
	if c.woken != 0 || !c.lane.stopping.Load() {
		return false
	}
	c.woken = c.lane.now()
	return true
}

// Deadlines. Setting one takes 0.2 us, which is 4 % of a request, so a connection that goes on
// being used gets one that holds for slack longer than it need to, and a new one only when that no
// longer covers the time to wait for.
const (
	slack = 500 * time.Millisecond

	// lookAgain to twice that is how long a quick client's end may go unseen: long enough for its
	// deadline to be set rarely, and short beside what a client will wait.
	lookAgain = 100 * time.Millisecond

	// lastLook is what a connection without a request gets when the lane stops: what was sent
	// before may just be coming.
	lastLook = 5 * time.Millisecond
)

// armRead sets the deadline of what is waited for.
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
		// stop sets its own deadline after it has said that it stops: whichever of the two came
		// last is seen here.
		if !c.wake() {
			return
		}
	}
}

// limit is when what is waited for must have come, and the latest deadline that will do. Zeros mean
// any time.
func (c *conn) limit() (by, until time.Duration) {
	l := c.lane
	nothing := c.waiting() || len(c.unread()) == 0
	switch {
	case c.woken != 0 && nothing:
		by = c.woken + lastLook
	case c.waiting():
		if l.idleTimeout > 0 {
			by, until = c.ended+l.idleTimeout, c.ended+l.idleTimeout+slack
		}
		if look := c.ended + lookAgain; c.unsure && (by == 0 || look < by) {
			by, until = look, look+lookAgain
		}
		return by, until
	case c.awaited == headed:
		if l.readTimeout > 0 {
			by = c.began + l.readTimeout
		}
	case l.headerTimeout > 0:
		by = c.began + l.headerTimeout
	}
	return by, by
}

// handOver gives the connection to net/http.
func (c *conn) handOver() {
	l := c.lane
	h := &handed{Conn: c.nc, lane: l, unread: bytes.Clone(c.unread())}
	if len(h.unread) > 0 {
		h.spent.Store(int64(l.now() - c.began))
	}
	l.mu.Lock()
	c.handing = true
	l.mu.Unlock()
	c.nc.SetDeadline(time.Time{})
	select {
	case l.handed <- h:
		l.counts.handed.Add(1)
	case <-l.closed:
		h.Close()
	}
}

// blanks is the number of bytes before the first that is neither CR nor LF.
func blanks(b []byte) int {
	for i, c := range b {
		if c != '\r' && c != '\n' {
			return i
		}
	}
	return len(b)
}
