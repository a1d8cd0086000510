//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tickercast/bench"
	"tickercast/bench/load"
	"tickercast/bench/proc"
)

const goodClientCommand = "good-client"

// runGoodClient asks for cached forecasts and prints what it got. It is a process of its own
// because the thousands of goroutines of the attack would delay it.
func runGoodClient(ctx context.Context, addr, duration string, stdout io.Writer) error {
	runtime.GOMAXPROCS(1)
	d, err := time.ParseDuration(duration)
	if err != nil {
		return err
	}
	r, err := load.Run(ctx, load.Config{Addr: addr, Requests: bench.Hit(addr), Conns: 16,
		Rate: 500, Warmup: 200 * time.Millisecond, Duration: d})
	if err != nil {
		return err
	}
	all := r.Latency.Count() + r.Failed()
	return json.NewEncoder(stdout).Encode(goodResult{r.Latency.Quantile(0.5),
		r.Latency.Quantile(0.99), float64(r.Latency.Count()) / float64(max(all, 1)), all})
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
	c := &goodClient{cmd: exec.Command("/proc/self/exe", goodClientCommand, addr, d.String())}
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

// build returns the path of a binary, built from this tree if it is empty.
func build(ctx context.Context, binary string) (path string, cleanup func(), err error) {
	if binary != "" {
		return binary, func() {}, nil
	}
	dir, err := os.MkdirTemp("", "tickercast-hostile")
	if err != nil {
		return "", nil, err
	}
	cleanup = func() { os.RemoveAll(dir) }
	if binary, err = proc.Build(ctx, dir); err != nil {
		cleanup()
	}
	return binary, cleanup, err
}

// resident is the resident memory of a process in bytes, or 0 when it has ended.
func resident(pid int) int64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmRSS:" {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n << 10
		}
	}
	return 0
}

// makeGroup makes a control group with a memory limit. join is what makes the command after it a
// member.
func makeGroup(limit int64) (join []string, remove func(), err error) {
	for _, version := range []struct{ root, file string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, {"/sys/fs/cgroup", "memory.max"},
	} {
		dir := filepath.Join(version.root, fmt.Sprintf("tickercast-hostile-%d", os.Getpid()))
		if e := os.Mkdir(dir, 0o755); e != nil {
			err = errors.Join(err, e)
			continue
		}
		if e := os.WriteFile(filepath.Join(dir, version.file), []byte(fmt.Sprint(limit)),
			0o644); e != nil {
			os.Remove(dir)
			err = errors.Join(err, e)
			continue
		}
		join := []string{"sh", "-c", `echo $$ >"$0" && exec "$@"`, filepath.Join(dir, "cgroup.procs")}
		return join, func() { os.Remove(dir) }, nil
	}
	return nil, nil, err
}
