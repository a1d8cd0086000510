//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"tickercast/bench"
	"tickercast/bench/load"
)

const goodClientCommand = "good-client"

// runGoodClient asks for cached forecasts and prints what it got. It is a process of its own
// because the thousands of goroutines of the attack would delay it.
func runGoodClient(ctx context.Context, addr, duration, sealed string, stdout io.Writer) error {
	runtime.GOMAXPROCS(1)
	d, err := time.ParseDuration(duration)
	if err != nil {
		return err
	}
	r, err := load.Run(ctx, load.Config{Addr: addr, Requests: bench.Hit(addr), Conns: 16,
		Rate: 500, Warmup: 200 * time.Millisecond, Duration: d, Dial: dialer(addr, sealed == "true")})
	if err != nil {
		return err
	}
	all := r.Latency.Count() + r.Failed()
	return json.NewEncoder(stdout).Encode(goodResult{r.Latency.Quantile(0.5),
		r.Latency.Quantile(0.99), float64(r.Latency.Count()) / float64(max(all, 1)), all})
}

// dialer returns how to connect to a server, as load.Config wants it.
func dialer(addr string, sealed bool) func(context.Context) (net.Conn, error) {
	if !sealed {
		return nil
	}
	d := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
	return func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", addr) }
}

// A goodResult is what runGoodClient prints.
type goodResult struct {
	P50, P99 time.Duration
	Share    float64 // of the requests that were answered
	Requests int64
}

func (g goodResult) String() string {
	return fmt.Sprintf("p50 %v, p99 %v, %.2f %% of %d answered", load.Round(g.P50),
		load.Round(g.P99), 100*g.Share, g.Requests)
}

// A goodClient is the process that runs runGoodClient.
type goodClient struct {
	cmd *exec.Cmd
	out bytes.Buffer
}

func (o *options) startGoodClient(addr string, d time.Duration) (*goodClient, error) {
	c := &goodClient{cmd: exec.Command("/proc/self/exe", goodClientCommand, addr, d.String(),
		fmt.Sprint(o.tls))}
	c.cmd.Stdout, c.cmd.Stderr = &c.out, o.log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return c, c.cmd.Start()
}

// result waits until the client has ended.
func (c *goodClient) result() (r goodResult, err error) {
	if err := c.cmd.Wait(); err != nil {
		return r, fmt.Errorf("the good client: %w", err)
	}
	return r, json.Unmarshal(c.out.Bytes(), &r)
}
