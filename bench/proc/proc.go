//go:build linux

// Package proc runs a server that is to be measured on a CPU of its own, and reads from /proc the
// CPU time and memory of the process and its descendants. It needs Linux and taskset(1).
package proc

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// Server is a running server.
type Server struct {
	cmd    *exec.Cmd
	out    tail          // written until exited is closed
	exited chan struct{} // closed when the process is gone; err is set before
	err    error

	Addr    string        // host:port that it listens on
	Started time.Duration // from exec to ready
}

// Start runs a server and waits until it is ready.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	if err := cfg.resolve(); err != nil {
		return nil, fmt.Errorf("proc: %w", err)
	}
	args := cfg.Args
	if cfg.Pin {
		args = append([]string{"taskset", "-c", strconv.Itoa(cfg.CPU)}, args...)
	}
	s := &Server{cmd: exec.Command(args[0], args[1:]...), exited: make(chan struct{}),
		Addr: cfg.Addr}
	s.cmd.Env = append(os.Environ(), cfg.Env...)
	s.cmd.Dir = cfg.Dir
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	// Its own process group, so that Stop reaches its children too. The kernel ends it if this
	// process dies.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	s.cmd.WaitDelay = time.Second
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("proc: %w", err)
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.exited)
	}()
	if err := s.waitReady(ctx, cfg); err != nil {
		s.Stop()
		return nil, fmt.Errorf("proc: starting %q: %w; its output ends in:\n%s", cfg.Args, err,
			s.out)
	}
	s.Started = time.Since(began)
	return s, nil
}

func (s *Server) waitReady(ctx context.Context, cfg Config) error {
	wait := cfg.Wait
	if wait == 0 {
		wait = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} // it is our own server
	for {
		req, err := http.NewRequestWithContext(ctx, "GET", cfg.Ready, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err == nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("%s answers %s", cfg.Ready, resp.Status)
		}
		select {
		case <-s.exited:
			return fmt.Errorf("it exited before it was ready: %v", s.err)
		case <-ctx.Done():
			return fmt.Errorf("not ready after %v: %w", wait, err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// PID is that of the started process; with Pin, taskset has become the server.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Exited reports whether the process has ended, by itself or by Stop.
func (s *Server) Exited() bool {
	select {
	case <-s.exited:
		return true
	default:
		return false
	}
}

// Signal sends a signal to the server.
func (s *Server) Signal(sig os.Signal) error { return s.cmd.Process.Signal(sig) }

// Stop sends SIGTERM, kills what is left after five seconds, and waits until it is gone.
func (s *Server) Stop() {
	syscall.Kill(s.PID(), syscall.SIGTERM)
	syscall.Kill(s.PID(), syscall.SIGCONT) // one that SIGSTOP has stopped would not see it
	select {
	case <-s.exited:
	case <-time.After(5 * time.Second):
	}
	// The group stays for a moment after the kill, and for good while a child is a zombie; so the
	// number of tries is bounded.
	for range 100 {
		if syscall.Kill(-s.PID(), syscall.SIGKILL) != nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	<-s.exited
}

// Every calls f at once and then every d, until stop is called, which waits for the last call.
func Every(d time.Duration, f func()) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			f()
			select {
			case <-done:
				return
			case <-time.After(d):
			}
		}
	}()
	return func() { close(done); <-ended }
}

// tail keeps the last few kilobytes of what a server prints.
type tail []byte

func (t *tail) Write(p []byte) (int, error) {
	*t = append(*t, p...)
	if n := len(*t); n > 4096 {
		*t = append((*t)[:0], (*t)[n-4096:]...)
	}
	return len(p), nil
}
