//go:build linux && (amd64 || arm64)

package fastlane

import (
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"
)

// raw reads and writes a socket without most of package net, for two reasons. It polls a socket
// before it takes a buffer, so an idle connection holds none. And it takes about a quarter less CPU
// than net.Conn (64 connections, 300 bytes each way, measured in turn): package net is entered once
// for a whole conversation, the scheduler is not told of system calls that never block, and sendto
// and recvfrom bypass the kernel's file layer. TestSameOverTCP compares it with net.Conn;
// TestHitDoesNotAllocate and BenchmarkHit check its cost.
type raw struct {
	conn syscall.RawConn
	// fd is the socket. It is valid only inside the function that conn.Read calls: there it cannot
	// be closed.
	fd uintptr
}

func (r *raw) usable() bool { return r.conn != nil }

// open reports whether nc can be used in this way.
func (r *raw) open(nc net.Conn) bool {
	var conn syscall.RawConn
	var err error
	switch nc := nc.(type) {
	case *net.TCPConn:
		conn, err = nc.SyscallConn()
	case *net.UnixConn:
		conn, err = nc.SyscallConn()
	default:
		return false
	}
	if err != nil {
		return false
	}
	r.conn = conn
	return true
}

// fastAfter is a streak longer than what a test or a script sends over one connection, so that the
// lane notices at once when those close it.
const fastAfter = 16

// loopRaw is loop inside one call of RawConn.Read, which calls turn when there may be bytes to read
// and, as long as turn returns false, waits for more within the read deadline.
//
// The poller reports each arrival once, so turn has to read until nothing is left. With a client
// that sends one request after the other, the last of these reads always finds nothing. So after a
// streak of such requests, a read that did not fill the buffer counts as the last. That can miss an
// end of the stream that came together with the bytes: eofUnknown is set then, and limit makes the
// connection check after eofCheck.
func (c *conn) loopRaw() (o outcome) {
	var failed error
	turn := func(fd uintptr) (done bool) {
		c.raw.fd = fd
		for {
			c.acquire()
			idle := c.idle()
			space := c.writable()
			n, errno := transfer(syscall.SYS_RECVFROM, fd, space)
			switch {
			case errno == syscall.EAGAIN:
				c.eofUnknown = false
				c.beforeWait()
				return false
			case errno != 0:
				failed = os.NewSyscallError("recvfrom", errno)
				return true
			case n == 0:
				failed = io.EOF
				return true
			}
			c.to += n
			if o = c.onRead(idle); o != stays {
				return true
			}
			if n < len(space) && c.fastStreak > fastAfter && len(c.unread()) == 0 {
				c.eofUnknown = true
				c.beforeWait()
				return false
			}
		}
	}
	for o == stays {
		c.armRead()
		failed = nil
		if err := c.raw.conn.Read(turn); err != nil {
			failed = err
		}
		if failed != nil {
			o = c.onReadError(failed)
		}
	}
	return o
}

func (c *conn) beforeWait() {
	if len(c.unread()) == 0 {
		c.release()
	}
	c.armRead()
}

// write writes what fits without waiting. It may be called only inside turn.
func (r *raw) write(b []byte) (int, error) {
	n, errno := transfer(syscall.SYS_SENDTO, r.fd, b)
	if errno != 0 && errno != syscall.EAGAIN {
		return 0, os.NewSyscallError("sendto", errno)
	}
	return n, nil
}

// transfer sends b, or receives into it, without waiting. b must not be empty.
func transfer(trap, fd uintptr, b []byte) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall6(trap, fd, uintptr(unsafe.Pointer(&b[0])),
			uintptr(len(b)), syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
		if errno == 0 {
			return int(n), 0
		}
		if errno != syscall.EINTR {
			return 0, errno
		}
	}
}
