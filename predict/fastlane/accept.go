package fastlane

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// counts are kept where connections come and go, never for a request.
type counts struct {
	open, accepted, rejected, handed, timedOut atomic.Int64
}

// Stats is what has become of the connections so far. The figures are read one by one: no snapshot.
type Stats struct {
	Open       int // connections open now, in the lane or handed over
	InLane     int // of these, in the lane
	Accepted   int64
	Rejected   int64 // closed at once for Config.MaxConns
	HandedOver int64
	TimedOut   int64 // closed by the lane because too little came in time
}

// Stats returns the figures now.
func (l *Lane) Stats() Stats {
	l.mu.Lock()
	inLane := len(l.conns)
	l.mu.Unlock()
	return Stats{
		Open:       int(l.counts.open.Load()),
		InLane:     inLane,
		Accepted:   l.counts.accepted.Load(),
		Rejected:   l.counts.rejected.Load(),
		HandedOver: l.counts.handed.Load(),
		TimedOut:   l.counts.timedOut.Load(),
	}
}

// acceptAll takes connections until the listener is closed. When there are no descriptors, or
// another thing that may pass is wrong, it waits a little, as http.Server does.
func (l *Lane) acceptAll() {
	var pause time.Duration
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
		l.fault(fmt.Errorf("accepting a connection, next try in %v: %w", pause, err))
		select {
		case <-l.halt:
			return
		case <-time.After(pause):
		}
	}
}

// admit counts a connection and starts it, or closes it when there are too many.
func (l *Lane) admit(nc net.Conn) {
	l.counts.accepted.Add(1)
	if open := l.counts.open.Add(1); l.cfg.MaxConns > 0 && open > int64(l.cfg.MaxConns) {
		l.counts.open.Add(-1)
		l.counts.rejected.Add(1)
		nc.Close()
		return
	}
	c := newConn(l, nc)
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
	if len(l.conns) == 0 && l.empty != nil {
		close(l.empty)
	}
}
