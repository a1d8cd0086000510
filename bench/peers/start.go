//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tickercast/bench"
	"tickercast/bench/proc"
)

// A contender is a peer that runs and gave the right answers.
type contender struct {
	peer
	addr     string
	versions string
	server   *proc.Server
	atStart  int64 // bytes resident when it was ready
	exact    bool  // its answers equal tickercast's to the byte
	samples  []sample
}

// start starts every peer that was asked for, the subject first, and leaves out those that cannot
// be installed, do not start or do not do the work.
func (k *kitchen) start(ctx context.Context) (ready []*contender, missing []string) {
	for _, p := range peers() {
		if p.name != subject && !k.opts.only.MatchString(p.name) {
			continue
		}
		if ctx.Err() != nil {
			return ready, missing
		}
		c, err := k.startOne(ctx, p)
		if err != nil {
			missing = append(missing, fmt.Sprintf("%s: %v", p.name, err))
			if p.name == subject {
				return ready, missing // there is nothing to compare with
			}
			continue
		}
		ready = append(ready, c)
	}
	return ready, missing
}

func (k *kitchen) startOne(ctx context.Context, p peer) (*contender, error) {
	prepared, err := p.prepare(ctx, k)
	if err != nil {
		return nil, err
	}
	cfg := prepared.Config
	addr, err := proc.FreeAddr()
	if err != nil {
		return nil, err
	}
	fill(&cfg, addr)
	if p.name == "nginx" {
		conf := filepath.Join(k.tmp, "nginx", "nginx.conf")
		if err := os.WriteFile(conf, []byte(nginxConf(addr, bench.Canned(k.answerBytes))),
			0o644); err != nil {
			return nil, err
		}
	}
	cfg.Pin, cfg.CPU, cfg.Wait = true, 0, time.Minute
	fmt.Fprintln(k.log, "starting", p.name)
	c := &contender{peer: p, addr: addr, versions: prepared.versions}
	if c.server, err = proc.Start(ctx, cfg); err != nil {
		return nil, err
	}
	k.running = append(k.running, c)
	u, err := c.server.Usage()
	if err != nil {
		return nil, err
	}
	c.atStart = u.Memory
	if p.name == subject {
		err = k.learn(ctx, addr)
	}
	if err == nil {
		c.exact, err = k.check(ctx, c)
	}
	return c, err
}

// fill puts the address in where it is wanted.
func fill(cfg *proc.Config, addr string) {
	host, port, _ := net.SplitHostPort(addr)
	r := strings.NewReplacer("ADDR", addr, "HOST", host, "PORT", port)
	for i, arg := range cfg.Args {
		switch arg {
		case "ADDR", "HOST", "PORT":
			cfg.Args[i] = r.Replace(arg)
		}
	}
	cfg.Ready = r.Replace(cfg.Ready)
}
