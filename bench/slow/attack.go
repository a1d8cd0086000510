//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"tickercast/bench/load"
)

// A scenario is a way to be slow.
type scenario struct {
	name    string
	timeout time.Duration // of the server, after which the connection should end
	flood   bool          // send as much as the server takes, and read nothing
	// sends returns what is sent first, and what is then sent byte by byte, over and over.
	sends func(host string) (first, drip []byte)
}

func scenarios() []scenario {
	return []scenario{
		{name: "header", timeout: 3 * time.Second, sends: func(host string) (first, drip []byte) {
			return []byte("POST /predict HTTP/1.1\r\nHost: " + host + "\r\nX-Slow: "), []byte("a")
		}},
		{name: "body", timeout: 5 * time.Second, sends: func(host string) (first, drip []byte) {
			body := append([]byte(`{"ticker":"AAPL",`), make([]byte, 500)...)
			r := load.NewRequest("POST", "/predict", host, body)
			return r[:len(r)-500], []byte(" ")
		}},
		{name: "reader", timeout: 10 * time.Second, flood: true,
			sends: func(host string) (first, drip []byte) {
				r := load.NewRequest("POST", "/predict", host,
					[]byte(`{"ticker":"AAPL","days_ahead":30}`))
				return r, r
			}},
	}
}

// An attack is many slow connections.
type attack struct {
	scenario
	addr  string
	drip  time.Duration // from byte to byte
	conns []*slowConn
	open  atomic.Int64
	tasks sync.WaitGroup
}

type slowConn struct {
	nc    *net.TCPConn
	raw   syscall.RawConn
	began time.Time     // when the server's timeout begins
	took  time.Duration // from then to the end; set before ended is closed
	ended chan struct{}
}

func (c *slowConn) hasEnded() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// start opens n connections and sets them going.
func (a *attack) start(ctx context.Context, n int) error {
	a.conns = make([]*slowConn, n)
	errs := make([]error, n)
	gate := make(chan struct{}, 64)
	var opened sync.WaitGroup
	began := time.Now()
	// Opening takes less than the timeout, so that there is a time when all are open, and most of
	// it, so that the cost of connecting is spread out.
	opening := a.timeout * 6 / 10
	for i := range n {
		early := opening*time.Duration(i)/time.Duration(n) - time.Since(began)
		if early > time.Millisecond {
			sleep(ctx, early)
		}
		gate <- struct{}{}
		opened.Go(func() {
			defer func() { <-gate }()
			if errs[i] = a.dial(ctx, i); errs[i] == nil {
				first := a.drip * time.Duration(i) / time.Duration(n)
				a.tasks.Go(func() { a.send(ctx, a.conns[i], first) })
			}
		})
	}
	opened.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	a.tasks.Go(func() { a.watch(ctx) })
	return nil
}

// smallBuffers makes the client's kernel buffers small, so that little fits between server and
// client.
func smallBuffers(_, _ string, raw syscall.RawConn) error {
	var err1, err2 error
	return errors.Join(raw.Control(func(fd uintptr) {
		err1 = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096)
		err2 = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, 4096)
	}), err1, err2)
}

// dial opens the i-th connection.
func (a *attack) dial(ctx context.Context, i int) error {
	var d net.Dialer
	if a.flood {
		d.Control = smallBuffers
	}
	began := time.Now()
	nc, err := d.DialContext(ctx, "tcp", a.addr)
	if err != nil {
		return err
	}
	c := &slowConn{nc: nc.(*net.TCPConn), began: began, ended: make(chan struct{})}
	a.conns[i] = c
	a.open.Add(1)
	if c.raw, err = c.nc.SyscallConn(); err != nil {
		return err
	}
	if !a.flood {
		first, _ := a.sends(a.addr)
		_, err = nc.Write(first)
	}
	return err
}

// send sends a byte every a.drip, the first one after a time that differs between connections. It
// ignores errors: watch finds out that a connection has ended.
func (a *attack) send(ctx context.Context, c *slowConn, first time.Duration) {
	if a.flood {
		a.fill(ctx, c)
	}
	_, drip := a.sends(a.addr)
	wait := time.NewTimer(first)
	defer wait.Stop()
	for i := 0; ; i++ {
		select {
		case <-wait.C:
			wait.Reset(a.drip)
			c.nc.SetWriteDeadline(time.Now().Add(time.Millisecond))
			c.nc.Write(drip[i%len(drip) : i%len(drip)+1])
		case <-c.ended:
			return
		case <-ctx.Done():
			return
		}
	}
}

// fill sends whole requests until the server takes no more.
func (a *attack) fill(ctx context.Context, c *slowConn) {
	one, _ := a.sends(a.addr)
	many := bytes.Repeat(one, 20)
	for ctx.Err() == nil {
		c.nc.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
		if _, err := c.nc.Write(many); err != nil {
			return
		}
	}
}

// watch polls every connection until all have ended.
func (a *attack) watch(ctx context.Context) {
	for ctx.Err() == nil && a.open.Load() > 0 {
		began := time.Now()
		for _, c := range a.conns {
			if c.hasEnded() {
				continue
			}
			open, silent := c.poll()
			if open && a.flood {
				c.began = time.Now().Add(-silent)
			}
			if !open {
				c.took = time.Since(c.began)
				close(c.ended)
				a.open.Add(-1)
			}
		}
		// Polling ten thousand takes milliseconds; it gets at most a tenth of the time.
		sleep(ctx, max(100*time.Millisecond, 10*time.Since(began)))
	}
}

// poll asks the kernel, without reading, whether the connection is open and for how long nothing
// has come.
func (c *slowConn) poll() (open bool, silent time.Duration) {
	const established = 1 // TCP_ESTABLISHED, in the first byte of struct tcp_info
	var info [56]byte
	size := uint32(len(info))
	var errno syscall.Errno
	err := c.raw.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.IPPROTO_TCP,
			syscall.TCP_INFO, uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	})
	lastReceived := binary.NativeEndian.Uint32(info[52:]) // tcpi_last_data_recv, milliseconds
	return err == nil && errno == 0 && info[0] == established,
		time.Duration(lastReceived) * time.Millisecond
}

// wait waits until all have ended, or for d, and returns how many are left.
func (a *attack) wait(ctx context.Context, d time.Duration) (left int64) {
	for by := time.Now().Add(d); a.open.Load() > 0 && time.Now().Before(by) && ctx.Err() == nil; {
		sleep(ctx, 20*time.Millisecond)
	}
	return a.open.Load()
}

// stop closes every connection and waits for what start set going.
func (a *attack) stop() {
	for _, c := range a.conns {
		if c != nil {
			c.nc.Close()
		}
	}
	a.tasks.Wait()
}

// slowest is the longest time that a connection took to end.
func (a *attack) slowest() (d time.Duration) {
	for _, c := range a.conns {
		if c.hasEnded() {
			d = max(d, c.took)
		}
	}
	return d
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
