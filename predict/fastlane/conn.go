package fastlane

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// conn is a connection that the lane serves. Only its own goroutine uses it, except where noted.
type conn struct {
	stream
	foreign bool // net/http must get the connection as it is

	// Guarded by Lane.mu: stop must not wake the connection at all, or not before that time.
	busy bool
	wake time.Duration

	shaking bool // guarded by Lane.mu: it is in the middle of a handshake

	evicting                 atomic.Int32 // stay or leave
	requests                 atomic.Int32 // as in Waiting
	evictIdle, evictProgress int64        // what idleSince and progress were when it was asked

	answered   bool    // the current request is not the first
	trimmed    bool    // the blank lines before the current request have been looked for
	blanks     int     // bytes of blank lines that may still come before the current request
	awaited    verdict // of the current request: needMore or needBody
	eofUnknown bool    // the client may have closed without being noticed; see loopRaw
	fastStreak int     // requests in a row that came soon after the answer before
	rested     bool    // no request since the goroutine began

	// began is when the current request began: the first one with the connection, others with their
	// first bytes.
	began    time.Duration
	expires  time.Duration // when the connection should end with a reply; 0: never
	ended    time.Duration // when the last answer was made, or else the connection
	stopSeen time.Duration // when the connection found that it shall end; 0 before
}

// outcome is what becomes of a connection.
type outcome int

const (
	stays outcome = iota
	closes
	handsOver
	rests // see restAfter
)

// serve answers requests until the connection ends or is handed over.
func (c *conn) serve() {
	o := stays
	if c.lane.cfg.TLS != nil && c.nc == c.socket {
		o = c.handshake()
	}
	if o == stays {
		o = c.loop()
	}
	switch o {
	case rests:
		go c.serve()
		return
	case handsOver:
		c.handOver()
	default:
		if c.evicting.Load() == leave {
			defer time.AfterFunc(LeaveTime, func() { c.socket.Close() }).Stop()
		}
		c.nc.Close()
	}
	c.release()
	c.lane.leave(c)
}

// loop reads and answers as long as the connection stays.
func (c *conn) loop() (o outcome) {
	if len(c.lane.grammar.routes) == 0 {
		return handsOver
	}
	c.socket.writes = true
	if c.socket.raw.usable() {
		return c.loopRaw()
	}
	for o == stays {
		c.armRead()
		idle := c.idle()
		if err := c.read(); err != nil {
			o = c.onReadError(err)
		} else {
			o = c.onRead(idle)
		}
	}
	return o
}

// onRead handles newly read bytes. wasIdle is what idle returned before them.
func (c *conn) onRead(wasIdle bool) (o outcome) {
	now, first := c.lane.now(), !c.answered
	if !c.idle() {
		if wasIdle {
			c.began = now
		}
		if c.evicting.Load() == leave {
			c.spare()
		}
	}
	if o = c.answer(now); o != stays {
		return o
	}
	c.publish()
	if first && c.idle() && len(c.unread()) == 0 {
		c.rested = true
		return rests
	}
	return o
}

// idle reports whether no request has begun. As in net/http, the first one begins with the
// connection, any other with its fourth byte.
func (c *conn) idle() bool {
	return c.answered && !c.trimmed && len(c.unread()) < maxBlanks
}

// answer replies to all the whole requests that are there. It writes the replies together.
func (c *conn) answer(now time.Duration) (o outcome) {
	for o == stays && !c.idle() && len(c.unread()) > 0 {
		c.trimmed = true
		if c.skip(leadingBlanks(c.unread(), &c.blanks)); len(c.unread()) == 0 {
			break
		}
		r := &c.buffers.request
		c.awaited = c.buffers.cache.scan(&c.lane.grammar, c.unread(), r)
		if c.awaited != plain {
			if c.awaited == unsupported || len(c.unread()) == MaxRequest {
				o = handsOver
			}
			break
		}
		if o = c.reply(now); o == handsOver {
			break
		}
		now = r.now
		c.skip(len(r.whole))
		c.trackPace(now)
		if n := c.requests.Load(); n < RegularRequests {
			c.requests.Store(n + 1)
		}
		c.answered, c.trimmed, c.awaited, c.ended, c.rested = true, false, needMore, now, false
		if c.blanks = 0; r.target.Method == http.MethodPost {
			c.blanks = maxBlanks
		}
		if len(c.buffers.out) > maxOut && c.flush() != nil {
			return closes
		}
	}
	if c.flush() != nil {
		return closes
	}
	return o
}

// maxBlanks is how many bytes of CR and LF may come before a request. After a POST, net/http looks
// for them in four bytes.
const maxBlanks = 4

// leadingBlanks returns how many bytes of blank lines b begins with, of which so many are left.
// None are left behind the first other byte.
func leadingBlanks(b []byte, left *int) (n int) {
	for n < len(b) && *left > 0 && (b[n] == '\r' || b[n] == '\n') {
		n++
		*left--
	}
	if n < len(b) {
		*left = 0
	}
	return n
}

// trackPace counts the requests that a client sends without a pause: sooner than eofCheck, so that
// the check which each of them puts off never comes while they do. One of a thousand clients that
// ask at once gets its answer 20 to 50 ms after the one before.
func (c *conn) trackPace(now time.Duration) {
	if c.fastStreak++; now-c.ended > eofCheck*3/4 {
		c.fastStreak = 0
	}
}

// onReadError handles a failed read. An incomplete request goes to net/http, whose deadline is over
// too, and which decides what answer the client gets, if any.
func (c *conn) onReadError(err error) outcome {
	late := errors.Is(err, os.ErrDeadlineExceeded)
	if late {
		if c.eofUnknown {
			c.eofUnknown = false // the next read finds out
			return stays
		}
		c.checkShutdown()
		if c.evicting.Load() == leave && !c.idle() && len(c.unread()) > 0 {
			return closes // its request has stalled
		}
		rested := c.rested
		c.rested = c.idle()
		if by, _ := c.limit(); by == 0 || c.lane.now() < by { // or the deadline was that of stop
			c.readBy = unknown
			if c.rested && !rested {
				return rests
			}
			return stays
		}
	}
	switch {
	case (late || errors.Is(err, io.EOF)) && !c.idle() && len(c.unread()) > 0:
		return handsOver
	case late && c.stopSeen == 0:
		c.lane.timedOut.Add(1)
	}
	return closes
}
