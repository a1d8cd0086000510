package fastlane

import (
	"errors"
	"net"
	"os"
	"syscall"
)

// refuseNew makes the system drop packets that ask for a new connection, so that no client gets one
// that would be reset when the listener closes. Connections that exist, complete or not, are not
// touched.
func refuseNew(ln net.Listener) error {
	sc, ok := ln.(syscall.Conn)
	if _, tcp := ln.Addr().(*net.TCPAddr); !ok || !tcp {
		return errors.ErrUnsupported
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return err
	}
	const (
		tcpFlags = 13 // their offset in the header
		syn, ack = 0x02, 0x10
	)
	filter := []syscall.SockFilter{ // of classic BPF
		{Code: syscall.BPF_LD | syscall.BPF_B | syscall.BPF_ABS, K: tcpFlags},
		{Code: syscall.BPF_ALU | syscall.BPF_AND | syscall.BPF_K, K: syn | ack},
		{Code: syscall.BPF_JMP | syscall.BPF_JEQ | syscall.BPF_K, K: syn, Jf: 1},
		{Code: syscall.BPF_RET | syscall.BPF_K, K: 0},      // drops
		{Code: syscall.BPF_RET | syscall.BPF_K, K: 0xffff}, // lets pass
	}
	failed := rc.Control(func(fd uintptr) {
		//lint:ignore SA1019 its replacement is outside the standard library
		err = syscall.AttachLsf(int(fd), filter)
	})
	if failed != nil {
		return failed
	}
	return os.NewSyscallError("setsockopt", err)
}

// acceptQueued returns the next connection that is complete. It never waits, and returns an error
// if there is none.
func acceptQueued(ln net.Listener) (net.Conn, error) {
	sc, ok := ln.(syscall.Conn)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return nil, err
	}
	accepted := -1
	failed := rc.Control(func(fd uintptr) {
		accepted, _, err = syscall.Accept4(int(fd), syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
	})
	if failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, os.NewSyscallError("accept4", err)
	}
	f := os.NewFile(uintptr(accepted), "")
	defer f.Close() // FileConn duplicates it
	return net.FileConn(f)
}
