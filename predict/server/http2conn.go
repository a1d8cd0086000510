package server

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"time"
)

// An http2Conn is a connection between net/http's HTTP/2 and the network, and the handler of the
// requests that net/http reads from it.
//
// When the service ends and the client sends requests side by side, it holds the GOAWAY back. With
// its GOAWAY net/http begins to ignore new streams. So soon the client has nothing under way but
// streams that the GOAWAY refuses, and which RFC 9113 lets it repeat elsewhere: all others are
// answered, and the client has read their answers, as a PING shows. Without that, httpx gives up
// each stream that it has not read to its end or is just sending.
type http2Conn struct {
	net.Conn
	reader  *bufio.Reader // net/http reads a frame in two pieces, most of them short
	service *http2Service
	tracked *trackedConn
	handler http.Handler
	track   func(http.ConnState)
	since   time.Time

	writing sync.Mutex // held for each write, so that frames stay whole
	written frameScanner
	held    []byte // the GOAWAY that is held back
	settle  *ping  // sent since; nil: none

	mu       sync.Mutex
	useless  int  // bytes of frames without use, less some times what is of use
	carried  int  // bytes of answers since that was last looked at
	open     int  // requests under way
	fresh    int  // requests that have begun since yield
	asked    bool // there has been a request
	crowded  bool // there have been several at once
	read     frameScanner
	last     uint32 // the stream that the held GOAWAY names; those above it are refused
	newest   uint32 // stream from then on; zero: none is held
	half     int    // refused streams that the client is sending
	lastRead time.Time
	heldAt   time.Time
	idleAt   time.Time // when the last stream ended; zero: one is open
	pings    []*ping   // that are not answered
}

// A ping tells when a client has read all that was sent before.
type ping struct {
	sent time.Time
	took time.Duration // valid when the next is closed
	read chan struct{}
}

const (
	// quiet is for how long a client must send nothing before it gets the GOAWAY that is held, and
	// longer by some times its slowness: the client or the network may be busy.
	quiet         = 50 * time.Millisecond
	slownessTimes = 8
	// maxHold and maxIdleHold bound the hold where streams do not end, or the client is not quiet.
	// net/http closes the connection when it has been idle for a second.
	maxHold     = 2 * time.Second
	maxIdleHold = 900 * time.Millisecond
)

func (c *http2Conn) enter(state http.ConnState) {
	c.mu.Lock()
	c.idleAt = time.Time{}
	if state == http.StateIdle {
		c.idleAt = time.Now()
	}
	c.mu.Unlock()
	c.track(state)
}

// awaitsRequest reports whether the first request may be on its way.
func (c *http2Conn) awaitsRequest() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.asked && time.Since(c.since) < requestWait
}

func (c *http2Conn) Read(b []byte) (int, error) {
	n, err := c.reader.Read(b)
	answered, flood := c.note(b[:n])
	if flood || c.tracked.memory.countBacklog(answered) != nil {
		c.tracked.core.giveBack()
		return 0, io.EOF
	}
	return n, err
}

// A client floods if all but an eighth of what it sends are frames without use: those that carry
// next to nothing of a request or are no part of any. maxUseless bytes of them are 3,800 PINGs.
// Answers count as use, since some clients send a PING for each part of a long one.
const (
	usePart    = 8
	maxUseless = 64 << 10
)

// note looks at bytes that were read. It returns how many of them are frames that net/http answers,
// and whether the client floods.
func (c *http2Conn) note(b []byte) (answered int, flood bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.service.ending.Load() {
		c.lastRead = time.Now()
	}
	c.useless = max(c.useless-usePart*c.carried, 0)
	c.carried = 0
	for f := range c.read.frames(b) {
		c.useless = max(c.useless+frameHead+f.size-usePart*f.carries(), 0)
		if f.isAnswered() {
			answered += frameHead + 8
		}
		if f.kind == frameHeaders {
			c.fresh++
		}
		switch {
		case f.isPong() && len(c.pings) > 0:
			p := c.pings[0]
			c.pings = c.pings[1:]
			p.took = c.lastRead.Sub(p.sent)
			close(p.read)
		case c.newest > 0 && f.stream > c.last:
			c.noteRefusedLocked(f)
		}
	}
	return answered, c.useless > maxUseless
}

func (c *http2Conn) Write(b []byte) (int, error) {
	c.yield()
	c.writing.Lock()
	defer c.writing.Unlock()
	from, to, carried := 0, 0, 0 // the first two are of a GOAWAY to hold
	for f := range c.written.frames(b) {
		carried += f.carries()
		if f.kind == frameGoAway {
			c.tracked.core.giveBack() // after an error net/http only waits, for a second or more
		}
		if f.isGoAway() && c.holds(f) {
			c.held = append(c.held, f.bytes...)
			time.AfterFunc(lookInterval, c.release)
			from, to = f.end-len(f.bytes), f.end
		}
	}
	if carried > 0 {
		c.mu.Lock()
		c.carried += carried
		c.mu.Unlock()
	}
	if to == 0 {
		return c.Conn.Write(b)
	}
	for _, part := range [][]byte{b[:from], b[to:]} {
		if len(part) == 0 {
			continue
		}
		if _, err := c.Conn.Write(part); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

func (c *http2Conn) noteRefusedLocked(f frame) {
	if f.kind == frameHeaders && f.stream > c.newest { // and no trailers
		c.newest = f.stream
		c.half++
	}
	if f.endsRequest() {
		c.half--
	}
}

// holds decides whether to hold a GOAWAY.
func (c *http2Conn) holds(f frame) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.crowded || !c.service.ending.Load() || c.newest > 0 {
		return false
	}
	c.last, c.heldAt = f.lastStream(), time.Now()
	c.newest = c.last
	return true
}

// release writes the GOAWAY that is held when its time has come.
func (c *http2Conn) release() {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.written.between() {
		switch c.next(time.Now()) {
		case sendGoAway:
			c.Conn.Write(c.held)
			return
		case sendPing:
			c.settle = c.pingLocked()
		}
	}
	time.AfterFunc(lookInterval, c.release)
}

type holdStep int

const (
	sendNothing holdStep = iota
	sendPing
	sendGoAway
)

// next returns what is to be done with the GOAWAY that is held.
func (c *http2Conn) next(now time.Time) holdStep {
	c.mu.Lock()
	defer c.mu.Unlock()
	held := now.Sub(c.heldAt)
	if c.idleAt.IsZero() {
		if held >= maxHold {
			return sendGoAway
		}
		return sendNothing
	}
	if min(held, now.Sub(c.idleAt)) >= maxIdleHold {
		return sendGoAway
	}
	if c.settle == nil {
		return sendPing
	}
	select {
	case <-c.settle.read:
		if c.half <= 0 && now.Sub(c.lastRead) >= quiet+slownessTimes*c.settle.took {
			return sendGoAway
		}
	default:
	}
	return sendNothing
}

// ping sends a PING and returns it, or nil if that cannot be now.
func (c *http2Conn) ping() *ping {
	c.writing.Lock()
	defer c.writing.Unlock()
	if !c.written.between() {
		return nil
	}
	return c.pingLocked()
}

func (c *http2Conn) pingLocked() *ping {
	p := &ping{sent: time.Now(), read: make(chan struct{})}
	c.mu.Lock()
	c.pings = append(c.pings, p)
	c.mu.Unlock()
	io.WriteString(c.Conn, pingFrame)
	return p
}

// readSize holds the frames of some requests.
const readSize = 1 << 10

// yield lets the handlers of other streams go on before bytes are written, once after each request
// that was read: what they have to say meanwhile goes out in one write after this. net/http flushes
// after each frame, so that each answer would be three system calls.
func (c *http2Conn) yield() {
	c.mu.Lock()
	pays := c.fresh > 0 && c.fresh+c.open > 2
	c.fresh = 0
	c.mu.Unlock()
	if pays {
		runtime.Gosched()
	}
}
