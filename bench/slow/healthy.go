//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"tickercast/bench"
	"tickercast/bench/load"
)

// The healthy client is a process of its own: in this one it would wait for thousands of goroutines
// that attack, and what it waited for would look like the server.

// beHealthy is that process. It asks until it is told to stop, and prints what it measured.
func beHealthy(ctx context.Context, addr, rate, duration string) error {
	runtime.GOMAXPROCS(1)
	cfg := load.Config{Addr: addr, Requests: bench.Hit(addr), Conns: 16,
		Warmup: 500 * time.Millisecond}
	if _, err := fmt.Sscan(rate, &cfg.Rate); err != nil {
		return err
	}
	var err error
	if cfg.Duration, err = time.ParseDuration(duration); err != nil {
		return err
	}
	r, err := load.Run(ctx, cfg)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

// A client is a healthy client that asks.
type client struct {
	cmd *exec.Cmd
	out bytes.Buffer
}

func (o options) startClient(addr string, d time.Duration) (*client, error) {
	c := &client{cmd: exec.Command("/proc/self/exe", "healthy", addr, fmt.Sprint(o.rate),
		d.String())}
	c.cmd.Stdout, c.cmd.Stderr = &c.out, o.log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return c, c.cmd.Start()
}

// result waits until the client has done what it was told to.
func (c *client) result() (*load.Result, error) {
	if err := c.cmd.Wait(); err != nil {
		return nil, fmt.Errorf("the healthy client: %w", err)
	}
	r := new(load.Result)
	return r, json.Unmarshal(c.out.Bytes(), r)
}

// stop has it tell what it has.
func (c *client) stop() (*load.Result, error) {
	c.cmd.Process.Signal(os.Interrupt)
	return c.result()
}
