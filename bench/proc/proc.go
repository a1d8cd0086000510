//go:build linux

// Package proc runs a server that is to be measured, on a CPU of its own, and reads from /proc what
// it costs: CPU time and memory, of the process and all that it started. It needs Linux and
// taskset(1).
package proc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Config says how to start a server. Args and Ready are required.
type Config struct {
	Args  []string      // program and arguments
	Env   []string      // added to the environment
	Dir   string        // working directory; "" is this process's
	Pin   bool          // run on CPU alone; otherwise wherever the system likes
	CPU   int           // used with Pin
	Ready string        // URL that answers 200 once the server is ready
	Wait  time.Duration // for Ready; 0 means 30 seconds
}

// Server is a running server.
type Server struct {
	cmd    *exec.Cmd
	out    tail
	exited chan struct{} // closed when the process is gone; err is set before
	err    error

	// Started is how long it took from exec to ready.
	Started time.Duration
}

// Start runs a server and waits until it is ready.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	args := cfg.Args
	if cfg.Pin {
		args = append([]string{"taskset", "-c", strconv.Itoa(cfg.CPU)}, args...)
	}
	s := &Server{cmd: exec.Command(args[0], args[1:]...), exited: make(chan struct{})}
	s.cmd.Env = append(os.Environ(), cfg.Env...)
	s.cmd.Dir = cfg.Dir
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	// A group of its own can be ended whole, and is ended when this process dies, however it dies.
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
			s.out.String())
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
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
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

// PID of the process that was started; with Pin, taskset has become it.
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

// Build builds tickercast from this tree into dir, as a user does, and returns the path of the
// binary.
func Build(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "tickercast")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, "tickercast")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
}

// Stop asks the server to end, insists after five seconds, and waits until it is gone.
func (s *Server) Stop() {
	syscall.Kill(s.PID(), syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(5 * time.Second):
	}
	// What is left of the group goes without being asked. A process takes a moment to die, and one
	// that nobody reaps never quite does, hence the bound.
	for range 100 {
		if syscall.Kill(-s.PID(), syscall.SIGKILL) != nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	<-s.exited
}

// FreeAddr is a loopback address that nothing listens on at the moment.
func FreeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// PinSelf moves every thread of this process to a CPU.
func PinSelf(cpu int) error {
	out, err := exec.Command("taskset", "-a", "-p", "-c", strconv.Itoa(cpu),
		strconv.Itoa(os.Getpid())).CombinedOutput()
	if err != nil {
		return fmt.Errorf("proc: pinning to CPU %d: %w: %s", cpu, err, out)
	}
	return nil
}

// CanPin reports whether a server and its load can have a CPU each.
func CanPin() error {
	if _, err := exec.LookPath("taskset"); err != nil {
		return err
	}
	if err := exec.Command("taskset", "-c", "0,1", "true").Run(); err != nil {
		return err
	}
	if runtime.NumCPU() < 2 {
		return errors.New("only one CPU")
	}
	return nil
}

// tail keeps the last few kilobytes of what a server prints.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if len(t.buf) > 4096 {
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-4096:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}
