//go:build linux

package proc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Config says how to start a server. Args and Ready are required. In Args, Env and Ready the words
// {addr}, {host} and {port} stand for the address that the server is to listen on.
type Config struct {
	Addr  string        // host:port; empty means a free port of 127.0.0.1
	Args  []string      // program and arguments
	Env   []string      // added to the environment
	Dir   string        // working directory; empty means that of this process
	Pin   bool          // run on CPU only; otherwise on any
	CPU   int           // used with Pin
	Ready string        // URL that answers 200 once the server is ready
	Wait  time.Duration // for Ready; 0 means 30 seconds
}

// Tickercast is the Config of a tickercast that has no admin address and ends without delay.
func Tickercast(binary string, flags ...string) Config {
	return Config{
		Args: append([]string{binary, "serve", "-addr", "{addr}", "-admin-addr", "",
			"-drain-delay", "0s"}, flags...),
		Ready: "http://{addr}/readyz",
	}
}

// resolve chooses an address if there is none yet and replaces the words that stand for it.
func (cfg *Config) resolve() (err error) {
	if cfg.Addr == "" {
		if cfg.Addr, err = FreeAddr(); err != nil {
			return err
		}
	}
	host, port, err := net.SplitHostPort(cfg.Addr)
	if err != nil {
		return err
	}
	r := strings.NewReplacer("{addr}", cfg.Addr, "{host}", host, "{port}", port)
	replace := func(in []string) (out []string) {
		for _, s := range in {
			out = append(out, r.Replace(s))
		}
		return out
	}
	cfg.Args, cfg.Env, cfg.Ready = replace(cfg.Args), replace(cfg.Env), r.Replace(cfg.Ready)
	return nil
}

// FreeAddr returns a loopback address that nothing listens on at the moment.
func FreeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// Build builds tickercast from this tree into dir and returns the path of the binary.
func Build(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "tickercast")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, "tickercast")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
}

// Prepare makes this process the load generator of a server on CPU 1: it runs on CPU 0 from now on,
// with one thread of Go. The returned path is binary or, if that is empty, a tickercast built from
// this tree, which cleanup removes.
func Prepare(ctx context.Context, binary string) (path string, cleanup func(), err error) {
	if err := CanPin(); err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "tickercast-bench")
	if err != nil {
		return "", nil, err
	}
	cleanup = func() { os.RemoveAll(dir) }
	if binary == "" {
		binary, err = Build(ctx, dir)
	}
	if err == nil {
		err = PinToCPU(0)
	}
	if err != nil {
		cleanup()
		return "", nil, err
	}
	runtime.GOMAXPROCS(1)
	return binary, cleanup, nil
}

// PinToCPU moves every thread of this process to one CPU.
func PinToCPU(cpu int) error { return PinTo(strconv.Itoa(cpu)) }

// PinTo moves every thread of this process to a list of CPUs, such as 0,1.
func PinTo(cpus string) error {
	out, err := exec.Command("taskset", "-a", "-p", "-c", cpus,
		strconv.Itoa(os.Getpid())).CombinedOutput()
	if err != nil {
		return fmt.Errorf("proc: pinning to CPU %s: %w: %s", cpus, err, out)
	}
	return nil
}

// CanPin returns an error if a server and its load cannot have a CPU each.
func CanPin() error {
	err := exec.Command("taskset", "-c", "0,1", "true").Run()
	if err == nil && runtime.NumCPU() < 2 {
		err = errors.New("only one CPU")
	}
	if err != nil {
		return fmt.Errorf("a server and its load need a CPU each, and taskset(1) to get it: %w",
			err)
	}
	return nil
}
