package fastlane

import (
	"context"
	"crypto/tls"
	"errors"
	"os"
	"time"
)

// handshake makes a new connection one of TLS. The connection stays in the lane if the client has
// chosen HTTP/1.1 or no protocol. It is net/http's if the client has chosen HTTP/2, or if the
// handshake has failed: then net/http finds the same error and says so to the client and the log.
func (c *conn) handshake() outcome {
	l := c.lane
	silent := true // until then stop may end the connection
	c.socket.arrived = func() {
		c.progress.Store(int64(l.now()))
		if !silent {
			return
		}
		silent = false
		l.mu.Lock()
		c.busy, c.shaking = true, true
		l.mu.Unlock()
		c.armHandshake() // stop may have set another deadline
	}
	t := tls.Server(c.socket, l.cfg.TLS)
	c.nc = t
	err := t.HandshakeContext(context.Background())
	c.socket.arrived = nil
	l.mu.Lock()
	c.shaking = false
	l.mu.Unlock()
	switch {
	case err != nil && c.evicting.Load() == leave:
		return closes
	case err != nil && silent:
		if errors.Is(err, os.ErrDeadlineExceeded) && !l.stopping.Load() {
			l.timedOut.Add(1)
		}
		return closes
	case err != nil || t.ConnectionState().NegotiatedProtocol == "h2":
		c.foreign = true
		return handsOver
	}
	c.socket.SetDeadline(time.Time{})
	c.began = l.now()
	c.progress.Store(0)
	c.idleSince.Store(int64(c.began))
	l.mu.Lock()
	c.busy, c.wake = false, 0
	l.mu.Unlock()
	return stays
}

// armHandshake sets the deadline of a handshake. As in net/http, it may take as long as the
// shortest of the timeouts that bound a request.
func (c *conn) armHandshake() {
	if t := c.lane.shakeTimeout; t > 0 {
		c.socket.SetDeadline(c.lane.epoch.Add(c.began + t))
	}
}
