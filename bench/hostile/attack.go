//go:build linux

package main

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// An attack keeps its connections open until its context ends.
type attack struct {
	*options
	addr string
	made []atomic.Int64 // connections, by kind
	gate chan struct{}  // bounds how many are being opened
}

func newAttack(o *options, addr string) *attack {
	return &attack{options: o, addr: addr, made: make([]atomic.Int64, len(o.kinds)),
		gate: make(chan struct{}, 64)}
}

func (a *attack) run(ctx context.Context) {
	var all sync.WaitGroup
	for i := range a.n {
		all.Go(func() {
			for ctx.Err() == nil {
				a.connect(ctx, i)
				select {
				case <-ctx.Done():
				case <-time.After(time.Second): // the server has ended it
				}
			}
		})
	}
	all.Wait()
}

// connect opens the i-th connection once and waits for its end.
func (a *attack) connect(ctx context.Context, i int) {
	which := i % len(a.kinds)
	c := a.dial(ctx, i)
	if c == nil {
		return
	}
	a.made[which].Add(1)
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	k := a.kinds[which]
	if sealed := a.seal(c, k); sealed != nil {
		k.hold(sealed)
	}
	// Nothing is read: the end shows as a hang-up.
	awaitEnd(ctx, c)
}

func (a *attack) dial(ctx context.Context, i int) net.Conn {
	select {
	case a.gate <- struct{}{}:
		defer func() { <-a.gate }()
	case <-ctx.Done():
		return nil
	}
	d := net.Dialer{Timeout: 10 * time.Second,
		LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i/len(a.kinds)%a.addrs))},
		Control: func(_, _ string, c syscall.RawConn) error {
			return c.Control(func(fd uintptr) { // little of an answer finds room here
				syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096)
			})
		}}
	c, err := d.DialContext(ctx, "tcp", a.addr)
	if err != nil {
		return nil
	}
	return c
}

// seal returns the connection as hold is to use it: after a handshake if the server wants one, or
// nil if that failed. A kind that attacks the handshake gets the connection without one.
func (a *attack) seal(c net.Conn, k kind) net.Conn {
	if !a.tls || k.name == "hello" {
		return c
	}
	cfg := &tls.Config{InsecureSkipVerify: true}
	if k.http2 {
		cfg.NextProtos = []string{"h2"}
	}
	sealed := tls.Client(c, cfg)
	c.SetDeadline(time.Now().Add(10 * time.Second))
	defer c.SetDeadline(time.Time{})
	if sealed.Handshake() != nil {
		return nil
	}
	return sealed
}

// awaitEnd waits until the peer has closed a connection, without reading what it sent before.
func awaitEnd(ctx context.Context, c net.Conn) {
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		return
	}
	for ctx.Err() == nil && established(raw) {
		time.Sleep(250 * time.Millisecond)
	}
}

// established reports whether the kernel still calls a connection established.
func established(raw syscall.RawConn) (yes bool) {
	raw.Control(func(fd uintptr) {
		state, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_INFO)
		yes = err == nil && state&0xFF == 1
	})
	return yes
}
