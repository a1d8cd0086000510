//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tickercast/bench/load"
	"tickercast/bench/proc"
	"tickercast/predict/internal/limits"
)

// A path is a way through the server.
type path struct {
	name  string
	flags []string
	bytes int64 // that a slow connection may cost
}

func paths() []path {
	return []path{
		{"fast lane", nil, 12 << 10},
		{"net/http", []string{"-fastlane=false"}, 24 << 10},
	}
}

// A trial is one attack on one path, and what came of it.
type trial struct {
	options
	path path
	kind kind

	before, while *load.Result // the healthy client's
	probes        atomic.Int64
	unhealthy     atomic.Int64 // probes without a 200
	// bytes of the server for a connection while all were open, and at the most
	each, most int64
	kernel     int64 // bytes in socket buffers for a connection, of both ends
	slowest    time.Duration
	left       int64 // connections that did not end
	exited     bool
}

// What docs/capacity.md plans with for a server, and the cache that it is given here.
const (
	base  = 40 << 20
	cache = 1 << 20
)

// planned is the memory limit for n connections; an eighth of it is for large answers.
func planned(n int) int64 { return (base + cache + int64(n)*limits.ConnBytes) * 8 / 7 }

func (t *trial) name() string { return t.path.name + ", " + t.kind.name }

func (t *trial) run(ctx context.Context) error {
	addr, err := proc.FreeAddr()
	if err != nil {
		return err
	}
	server, err := proc.Start(ctx, proc.Config{
		Args: append([]string{t.binary, "serve", "-addr", addr, "-admin-addr", "", "-drain-delay",
			"0s", "-cache-bytes", fmt.Sprint(cache)}, t.path.flags...),
		Env: []string{fmt.Sprintf("GOMEMLIMIT=%d", planned(t.n+100))},
		Pin: true, CPU: 1, Ready: "http://" + addr + "/health",
	})
	if err != nil {
		return err
	}
	defer server.Stop()
	fmt.Fprintf(t.log, "%s: the healthy client alone\n", t.name())
	calm, err := t.startClient(addr, t.calm)
	if err != nil {
		return err
	}
	if t.before, err = calm.result(); err != nil {
		return err
	}
	u, err := server.Usage()
	if err != nil {
		return err
	}
	memory, kernel := u.Memory, socketMemory()

	fmt.Fprintf(t.log, "%s: %d connections\n", t.name(), t.n)
	client, err := t.startClient(addr, time.Minute)
	if err != nil {
		return err
	}
	during, cancel := context.WithCancel(ctx)
	a := &attack{kind: t.kind, addr: addr, every: t.drip}
	var beside sync.WaitGroup
	beside.Go(func() { t.probe(during, addr) })
	beside.Go(func() {
		for during.Err() == nil {
			open := a.open.Load()
			if u, err := server.Usage(); err == nil {
				grown := u.Memory - memory
				t.most = max(t.most, grown)
				if open == int64(t.n) && a.open.Load() == open {
					t.each = max(t.each, grown/open)
				}
			}
			t.kernel = max(t.kernel, (socketMemory()-kernel)/int64(t.n))
			sleep(during, 200*time.Millisecond)
		}
	})
	if err = a.start(during, t.n); err == nil {
		t.left = a.wait(ctx, time.Now().Add(t.kind.timeout+5*time.Second))
	}
	t.slowest = a.slowest()
	t.exited = server.Exited()
	cancel()
	beside.Wait()
	var failed error
	t.while, failed = client.stop()
	a.stop()
	return errors.Join(err, failed)
}

// probe asks for the health on a connection of its own each time, as a balancer does.
func (t *trial) probe(ctx context.Context, addr string) {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for ctx.Err() == nil {
		resp, err := client.Get("http://" + addr + "/health")
		t.probes.Add(1)
		if err == nil {
			resp.Body.Close()
		}
		if err != nil || resp.StatusCode != http.StatusOK {
			t.unhealthy.Add(1)
			fmt.Fprintf(t.log, "%s: /health: %v\n", t.name(), err)
		}
		sleep(ctx, 100*time.Millisecond)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// socketMemory is what the kernel holds in TCP buffers, on the whole machine.
func socketMemory() int64 {
	b, err := os.ReadFile("/proc/net/sockstat")
	if err != nil {
		return 0
	}
	return tcpPages(string(b)) * int64(os.Getpagesize())
}

// tcpPages finds the pages of TCP buffers in a sockstat.
func tcpPages(sockstat string) (pages int64) {
	for line := range strings.Lines(sockstat) {
		var inUse, orphans, waiting, alloc int64
		if n, _ := fmt.Sscanf(line, "TCP: inuse %d orphan %d tw %d alloc %d mem %d", &inUse,
			&orphans, &waiting, &alloc, &pages); n == 5 {
			return pages
		}
	}
	return 0
}
