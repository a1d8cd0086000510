package fastlane

import (
	"context"
	"crypto/tls"
	"errors"
	"os"
	"time"
)

// handshake begins TLS on a new connection. Only if the client has chosen HTTP/1.1 or nothing is
// the connection the lane's; foreign says that it is for net/http, which serves HTTP/2, and which
// knows what to say to a client whose handshake has failed.
//
// The time for it is that of net/http: the shortest of the timeouts that bound a request.
func (c *conn) handshake() outcome {
	l := c.lane
	arm := func() {
		if l.shakeTimeout > 0 {
			c.socket.SetDeadline(l.epoch.Add(c.began + l.shakeTimeout))
		}
	}
	silent := true
	c.socket.began = func() {
		silent = false
		l.mu.Lock()
		c.busy = true // a handshake that has begun is not cut off
		l.mu.Unlock()
		arm() // stop may have set another deadline
	}
	arm()
	t := tls.Server(c.socket, l.cfg.TLS)
	c.nc = t
	err := t.HandshakeContext(context.Background())
	switch {
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
	l.mu.Lock()
	c.busy = false
	l.mu.Unlock()
	return stays
}
