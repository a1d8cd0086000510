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

	// in says that fd is the socket, which is so only inside the function that conn.Read calls:
	// there it cannot be closed.
	in bool
	fd uintptr

	// drained says that nothing was left behind the last read, as far as its size tells.
	drained bool
	records bool // what is read are records of TLS
}

func (r *raw) usable() bool { return r.conn != nil }
func (r *raw) ready() bool  { return r.in }

// open reports whether nc can be used in this way, to read records of TLS or not.
func (r *raw) open(nc net.Conn, records bool) bool {
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
	r.conn, r.records = conn, records
	return true
}

// errWait says that there is nothing to read yet. It is temporary, so that TLS reads on after it.
var errWait error = waitError{}

type waitError struct{}

func (waitError) Error() string   { return "nothing to read yet" }
func (waitError) Timeout() bool   { return true }
func (waitError) Temporary() bool { return true }

// read reads what is there. It may be called only while ready.
func (r *raw) read(b []byte) (int, error) {
	n, errno := transfer(syscall.SYS_RECVFROM, r.fd, b)
	switch {
	case errno == syscall.EAGAIN:
		return 0, errWait
	case errno != 0:
		return 0, os.NewSyscallError("recvfrom", errno)
	case n == 0:
		return 0, io.EOF
	}
	r.drained = n < len(b) && (!r.records || isRecord(b[:n]))
	return n, nil
}

// isRecord reports whether b is one whole record of TLS. TLS reads ahead, so that of several ones
// some may be left in it. If b begins within a record the answer means nothing, and as after any
// wrong one the connection looks again after eofCheck.
func isRecord(b []byte) bool { return len(b) > 5 && int(b[3])<<8+int(b[4]) == len(b)-5 }

// write writes what fits without waiting. It may be called only while ready.
func (r *raw) write(b []byte) (int, error) {
	n, errno := transfer(syscall.SYS_SENDTO, r.fd, b)
	if errno != 0 && errno != syscall.EAGAIN {
		return 0, os.NewSyscallError("sendto", errno)
	}
	return n, nil
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
	raw := &c.socket.raw
	turn := func(fd uintptr) (done bool) {
		raw.fd, raw.in = fd, true
		for {
			c.acquire()
			idle := c.idle()
			space := c.writable()
			n, err := c.nc.Read(space)
			if n == 0 && err == errWait {
				c.eofUnknown = false
				c.beforeWait()
				return false
			}
			if n == 0 {
				failed = err
				return true
			}
			c.to += n // if there is an error too, the next read returns it again
			if o = c.onRead(idle); o != stays {
				return true
			}
			if n < len(space) && raw.drained && c.fastStreak > fastAfter && len(c.unread()) == 0 {
				c.eofUnknown = true
				c.beforeWait()
				return false
			}
		}
	}
	for o == stays {
		c.armRead()
		failed = nil
		if err := raw.conn.Read(turn); err != nil {
			failed = err
		}
		raw.in = false
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
