//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"tickercast/bench/proc"
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

// A run is one scenario on one path and what it measured.
type run struct {
	options
	path     path
	scenario scenario

	before, while probeResult
	probes        int64 // requests for /health
	unhealthy     int64 // those without a 200
	each          int64 // bytes that the server grew by for each connection, all open
	most          int64 // bytes that the server grew by at the most
	slowest       time.Duration
	left          int64 // connections that did not end
	exited        bool
}

func (r *run) name() string { return r.path.name + ", " + r.scenario.name }

// What docs/capacity.md plans with: a server without connections, the cache that it gets here, a
// connection, and twice an eighth of the limit for what the limiter counts.
const (
	baseBytes  = 20 << 20
	cacheBytes = 1 << 20
	connBytes  = 44_000
)

func memoryLimit(conns int) int64 {
	return (baseBytes + cacheBytes + int64(conns)*connBytes) * 4 / 3
}

func (r *run) measure(ctx context.Context) error {
	cfg := proc.Tickercast(r.binary,
		append([]string{"-cache-bytes", fmt.Sprint(cacheBytes)}, r.path.flags...)...)
	cfg.Env = []string{fmt.Sprintf("GOMEMLIMIT=%d", memoryLimit(r.n+100))}
	cfg.Pin, cfg.CPU = true, 1
	server, err := proc.Start(ctx, cfg)
	if err != nil {
		return err
	}
	defer server.Stop()
	fmt.Fprintf(r.log, "%s: the probe client before the attack\n", r.name())
	calm, err := r.startProbeClient(server.Addr, 5*time.Second)
	if err != nil {
		return err
	}
	if r.before, err = calm.result(); err != nil {
		return err
	}
	fmt.Fprintf(r.log, "%s: %d connections\n", r.name(), r.n)
	client, err := r.startProbeClient(server.Addr, time.Minute)
	if err != nil {
		return err
	}
	attacked := r.attack(ctx, server)
	r.exited = server.Exited()
	r.while, err = client.stop()
	return errors.Join(attacked, err)
}

// attack opens the slow connections and watches the server until they have ended.
func (r *run) attack(ctx context.Context, server *proc.Server) error {
	u, err := server.Usage()
	if err != nil {
		return err
	}
	a := &attack{scenario: r.scenario, addr: server.Addr, drip: 500 * time.Millisecond}
	defer a.stop()
	during, cancel := context.WithCancel(ctx)
	defer cancel()
	defer proc.Every(100*time.Millisecond, func() { r.checkHealth(server.Addr) })()
	defer proc.Every(200*time.Millisecond, func() {
		open := a.open.Load()
		if now, err := server.Usage(); err == nil {
			grown := now.Memory - u.Memory
			r.most = max(r.most, grown)
			if open == int64(r.n) && a.open.Load() == open {
				r.each = max(r.each, grown/open)
			}
		}
	})()
	if err := a.start(during, r.n); err != nil {
		return err
	}
	r.left = a.wait(ctx, r.scenario.timeout+5*time.Second)
	r.slowest = a.slowest()
	return nil
}

// checkHealth asks for /health on a new connection, as a load balancer does.
func (r *run) checkHealth(addr string) {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + addr + "/health")
	r.probes++
	if err == nil {
		resp.Body.Close()
	}
	if err != nil || resp.StatusCode != http.StatusOK {
		r.unhealthy++
		fmt.Fprintf(r.log, "%s: /health: %v\n", r.name(), err)
	}
}
