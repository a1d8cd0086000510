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

// A kind of slowness.
type kind struct {
	name    string
	timeout time.Duration // of the server, after which the connection should end
	flood   bool          // send as much as can be sent at once, and read nothing
	// sends is what goes out first, and what then comes byte by byte, over and over.
	sends func(host string) (first, drip []byte)
}

func kinds() []kind {
	return []kind{
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

// An attack is many slow connections of a kind.
type attack struct {
	kind
	addr  string
	every time.Duration // from byte to byte
	conns []*slowConn
	open  atomic.Int64
	done  sync.WaitGroup
}

// A slowConn is one of them.
type slowConn struct {
	nc    *net.TCPConn
	raw   syscall.RawConn
	began time.Time // from when its time counts
	took  time.Duration
	ended chan struct{} // closed when it is seen to have ended; took is set before
}

// opening is how long opening all takes. It is less than the timeout, so that there is a time when
// all are open, and long enough for what is measured to be connections and not connecting.
func (a *attack) opening() time.Duration { return a.timeout * 6 / 10 }

// start opens n connections and sets them going.
func (a *attack) start(ctx context.Context, n int) error {
	a.conns = make([]*slowConn, n)
	errs := make([]error, n)
	gate := make(chan struct{}, 64)
	var opened sync.WaitGroup
	began := time.Now()
	for i := range n {
		if early := a.opening()*time.Duration(i)/time.Duration(n) - time.Since(began); early > time.Millisecond {
			sleep(ctx, early)
		}
		gate <- struct{}{}
		opened.Go(func() {
			defer func() { <-gate }()
			c, err := a.dial(ctx)
			if errs[i] = err; err != nil {
				return
			}
			a.conns[i] = c
			a.done.Go(func() { a.drip(ctx, c, a.every*time.Duration(i)/time.Duration(n)) })
		})
	}
	opened.Wait()
	if err := errors.Join(errs...); err != nil {
		a.stop()
		return err
	}
	a.done.Go(func() { a.watch(ctx) })
	return nil
}

// smallBuffers keep what a client has not read, and what it could not send, out of its own kernel
// as far as that can be done.
func smallBuffers(_, _ string, raw syscall.RawConn) error {
	var err1, err2 error
	return errors.Join(raw.Control(func(fd uintptr) {
		err1 = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096)
		err2 = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, 4096)
	}), err1, err2)
}

func (a *attack) dial(ctx context.Context) (*slowConn, error) {
	var d net.Dialer
	if a.flood {
		d.Control = smallBuffers
	}
	s := &slowConn{began: time.Now(), ended: make(chan struct{})}
	c, err := d.DialContext(ctx, "tcp", a.addr)
	if err != nil {
		return nil, err
	}
	s.nc = c.(*net.TCPConn)
	s.raw, err = s.nc.SyscallConn()
	a.open.Add(1)
	first, _ := a.sends(a.addr)
	if !a.flood {
		_, err = s.nc.Write(first)
	}
	return s, err
}

// drip sends a byte every now and then, the first one after a while that differs from connection to
// connection.
func (a *attack) drip(ctx context.Context, c *slowConn, first time.Duration) {
	if a.flood {
		a.fill(ctx, c)
	}
	_, drip := a.sends(a.addr)
	wait := time.NewTimer(first)
	defer wait.Stop()
	for i := 0; ; i++ {
		select {
		case <-wait.C:
			wait.Reset(a.every)
			c.nc.SetWriteDeadline(time.Now().Add(time.Millisecond))
			c.nc.Write(drip[i%len(drip) : i%len(drip)+1]) // watch sees when it is no use any more
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

// watch looks at every connection again and again until all have ended.
func (a *attack) watch(ctx context.Context) {
	for ctx.Err() == nil && a.open.Load() > 0 {
		began := time.Now()
		for _, c := range a.conns {
			select {
			case <-c.ended:
				continue
			default:
			}
			open, silent := c.look()
			if open && a.flood {
				c.began = time.Now().Add(-silent)
			}
			if open {
				continue
			}
			c.took = time.Since(c.began)
			close(c.ended)
			a.open.Add(-1)
		}
		// A look at ten thousand takes some milliseconds; looks take no more than a tenth of the
		// time.
		time.Sleep(max(100*time.Millisecond, 10*time.Since(began)))
	}
}

// look asks the kernel, without reading, whether the connection is open and for how long nothing
// has come.
func (c *slowConn) look() (open bool, silent time.Duration) {
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

// wait returns when all have ended, or at a time.
func (a *attack) wait(ctx context.Context, by time.Time) (left int64) {
	for a.open.Load() > 0 && time.Now().Before(by) && ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond)
	}
	return a.open.Load()
}

// stop closes what is open.
func (a *attack) stop() {
	for _, c := range a.conns {
		if c != nil {
			c.nc.Close()
		}
	}
	a.done.Wait()
}

// slowest is how long the one took that took the longest, of those that ended.
func (a *attack) slowest() (d time.Duration) {
	for _, c := range a.conns {
		select {
		case <-c.ended:
			d = max(d, c.took)
		default:
		}
	}
	return d
}
