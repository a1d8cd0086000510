//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"tickercast/bench"
	"tickercast/bench/load"
)

const probeClientCommand = "probe-client"

// runProbeClient sends requests until it is interrupted, and prints what it measured. It is a
// process of its own because the thousands of goroutines of the attack would delay it.
func runProbeClient(ctx context.Context, addr, duration string, stdout io.Writer) error {
	runtime.GOMAXPROCS(1)
	d, err := time.ParseDuration(duration)
	if err != nil {
		return err
	}
	r, err := load.Run(ctx, load.Config{Addr: addr, Requests: bench.Hit(addr), Conns: 16,
		Rate: 500, Warmup: 500 * time.Millisecond, Duration: d})
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(probeResult{r.Latency.Quantile(0.99), r.Failed()})
}

// A probeResult is what runProbeClient prints.
type probeResult struct {
	P99    time.Duration
	Failed int64
}

// A probeClient is the process that runs runProbeClient.
type probeClient struct {
	cmd *exec.Cmd
	out bytes.Buffer
}

func (o *options) startProbeClient(addr string, d time.Duration) (*probeClient, error) {
	c := &probeClient{cmd: exec.Command("/proc/self/exe", probeClientCommand, addr, d.String())}
	c.cmd.Stdout, c.cmd.Stderr = &c.out, o.log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return c, c.cmd.Start()
}

// result waits until the client has ended.
func (c *probeClient) result() (r probeResult, err error) {
	if err := c.cmd.Wait(); err != nil {
		return r, fmt.Errorf("the probe client: %w", err)
	}
	return r, json.Unmarshal(c.out.Bytes(), &r)
}

// stop ends the client early.
func (c *probeClient) stop() (probeResult, error) {
	c.cmd.Process.Signal(os.Interrupt)
	return c.result()
}
