package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
)

// A socketFile is a unix socket that has a file.
type socketFile struct {
	*net.UnixListener
	path string
	file fs.FileInfo // as made
}

// listenUnix opens a unix socket. Of a file that a server has left behind it takes the place. Until
// open is called only the user of the process may connect, where the system can do that.
func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	cfg := net.ListenConfig{Control: setPrivate}
	ln, err := cfg.Listen(ctx, "unix", path)
	if errors.Is(err, syscall.EADDRINUSE) && !strings.HasPrefix(path, "@") {
		if err = removeStale(path); err == nil {
			ln, err = cfg.Listen(ctx, "unix", path)
		}
	}
	if err != nil || strings.HasPrefix(path, "@") {
		return ln, err
	}
	u := ln.(*net.UnixListener)
	u.SetUnlinkOnClose(false) // Close does it
	file, err := os.Lstat(path)
	if err != nil {
		u.Close()
		return nil, err
	}
	return &socketFile{u, path, file}, nil
}

// removeStale removes a socket to which no one listens.
func removeStale(path string) error {
	file, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if file.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%q is there and is no socket", path)
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		conn.Close()
	}
	if !errors.Is(err, syscall.ECONNREFUSED) { // any other error may be that of a busy server
		return fmt.Errorf("another server listens on %q: %w", path, syscall.EADDRINUSE)
	}
	return os.Remove(path)
}

// open lets those connect whom the mode allows to write.
func (s *socketFile) open(mode fs.FileMode) error {
	if err := os.Chmod(s.path, mode); err != nil {
		return fmt.Errorf("address %q: %w", unixPrefix+s.path, err)
	}
	return nil
}

// Unlink removes the file, unless another server has put its own there. No new client finds the
// socket then.
func (s *socketFile) Unlink() {
	if now, err := os.Lstat(s.path); err == nil && os.SameFile(now, s.file) {
		os.Remove(s.path)
	}
}

func (s *socketFile) Close() error {
	s.Unlink()
	return s.UnixListener.Close()
}
