package fastlane

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// counts change only when a connection comes or goes, never for a request.
type counts struct {
	open, accepted, rejected, evicted, handedOver, timedOut atomic.Int64

	leaving atomic.Int64 // of open, those that make room
}

// Stats counts connections. The figures are read one by one, so they are no snapshot.
type Stats struct {
	Open       int // open now, those handed over included
	InLane     int // of these, not handed over
	Accepted   int64
	Rejected   int64 // closed at once because of Config.MaxConns
	Evicted    int64 // asked to make room for a new one
	HandedOver int64
	TimedOut   int64 // closed by the lane because a request came too slowly
}

// Stats returns the current figures.
func (l *Lane) Stats() Stats {
	l.mu.Lock()
	inLane := len(l.conns)
	l.mu.Unlock()
	return Stats{
		Open:       int(l.open.Load()),
		InLane:     inLane,
		Accepted:   l.accepted.Load(),
		Rejected:   l.rejected.Load(),
		Evicted:    l.evicted.Load(),
		HandedOver: l.handedOver.Load(),
		TimedOut:   l.timedOut.Load(),
	}
}

// acceptAll accepts connections until the listener is closed. After an error that may pass, such as
// a lack of file descriptors, it waits a little, as http.Server does, and has the connection that
// has been idle longest make room, which is what such errors lack.
func (l *Lane) acceptAll() {
	var pause, reported time.Duration
	for {
		nc, err := l.cfg.Listener.Accept()
		if err == nil {
			pause = 0
			l.admit(nc)
			continue
		}
		if l.stopping.Load() || errors.Is(err, net.ErrClosed) {
			return
		}
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		if now := l.now(); reported == 0 || now-reported >= time.Second {
			reported = now
			l.cfg.Fault(fmt.Errorf("accepting a connection, next try within %v: %w", pause, err))
		}
		if l.leaving.Load() == 0 {
			l.evict()
		}
		select {
		case <-l.halt:
			return
		case <-l.room:
		case <-time.After(pause):
		}
	}
}

// admit serves a connection, or closes it if too many are open and none of them is idle.
func (l *Lane) admit(nc net.Conn) {
	l.accepted.Add(1)
	if !l.makeRoom() {
		l.reject(nc)
		return
	}
	l.open.Add(1)
	now := l.now()
	c := &conn{began: now, ended: now, expires: l.expiry(now), blanks: maxBlanks}
	c.idleSince.Store(int64(now))
	c.open(l, nc)
	if l.cfg.TLS != nil {
		c.armHandshake()
		c.wake = c.began + graceFirst
	}
	l.mu.Lock()
	l.conns[c] = struct{}{}
	l.mu.Unlock()
	go c.serve()
}

// leave takes c off the list of the lane's own connections.
func (l *Lane) leave(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
	c.busy = true
	if c.evicting.Load() == leave {
		l.left()
	}
	if len(l.conns) == 0 && l.empty != nil {
		close(l.empty)
	}
}

// acceptLast lets no new client in and serves those that wait.
func (l *Lane) acceptLast() {
	if file, ok := l.cfg.Listener.(interface{ Unlink() }); ok { // a unix socket is found by it
		file.Unlink()
	}
	if refuseNew(l.cfg.Listener) == nil {
		select {
		case <-time.After(handshake):
		case <-l.acceptDone:
		}
	}
	nc, queued := acceptQueued(l.cfg.Listener)
	for ; queued == nil; nc, queued = acceptQueued(l.cfg.Listener) {
		l.admit(nc)
	}
	ln, ok := l.cfg.Listener.(interface{ SetDeadline(time.Time) error })
	if ok && errors.Is(queued, errors.ErrUnsupported) {
		ln.SetDeadline(time.Now().Add(graceRead))
		<-l.acceptDone
	}
}

// handshake is how long a client may take to complete a connection that it began before the lane
// stops: as long as a packet takes around the world.
const handshake = 300 * time.Millisecond
