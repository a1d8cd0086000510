//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"tickercast/bench"
	"tickercast/bench/peers/pyenv"
	"tickercast/bench/proc"
)

// setup is where servers are installed and what they are started with.
type setup struct {
	opts   options
	log    io.Writer
	cache  string // directory for virtual environments, kept
	tmp    string // directory of this run
	apps   string // directory of the Python services
	binary string // tickercast

	table     string // file with the forecasts that the Python services serve
	cert, key string // files, for TLS

	road        bench.Road
	client      *http.Client
	answers     map[string][]byte // of tickercast to the requests of the road, by request
	answerBytes int               // their mean size

	running []*proc.Server
}

// scheme is that of the road's addresses.
func (s *setup) scheme() string {
	if s.road.TLS {
		return "https"
	}
	return "http"
}

// cannedBytes is the size of a canned reply: that of the road's answers, but never longer than one
// forecast of five days, so that no server looks better for what it has to send.
func (s *setup) cannedBytes() int { return min(s.answerBytes, bench.AnswerBytes) }

// newSetup finds or builds what does not depend on a peer.
func newSetup(ctx context.Context, o options, log io.Writer) (*setup, error) {
	cache, err := pyenv.Cache()
	if err != nil {
		return nil, err
	}
	s := &setup{opts: o, log: log, cache: cache, binary: o.binary}
	if s.apps, err = filepath.Abs("apps"); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(s.apps, "forecasts.py")); err != nil {
		return nil, fmt.Errorf("run this in bench/peers, or with go -C bench/peers run . : %w", err)
	}
	if s.tmp, err = os.MkdirTemp("", "tickercast-peers"); err != nil {
		return nil, err
	}
	s.table = filepath.Join(s.tmp, "forecasts.json")
	s.cert, s.key = filepath.Join(s.tmp, "cert.pem"), filepath.Join(s.tmp, "key.pem")
	if err := writeCertificate(s.cert, s.key); err != nil {
		s.close()
		return nil, err
	}
	if s.binary == "" {
		fmt.Fprintln(log, "building tickercast")
		if s.binary, err = proc.Build(ctx, s.tmp); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

func (s *setup) close() {
	s.stop()
	os.RemoveAll(s.tmp)
}

// stop ends all servers of a road.
func (s *setup) stop() {
	for _, server := range s.running {
		server.Stop()
	}
	s.running = nil
}

func (s *setup) requirements(app string) string {
	return filepath.Join(s.apps, app+"_requirements.txt")
}

// findNginx looks where distributions put nginx.
func findNginx() (string, error) {
	for _, name := range []string{"nginx", "/usr/sbin/nginx", "/usr/local/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("nginx is not installed")
}

// A contender is a peer that runs and gave the right answers.
type contender struct {
	peer
	road     bench.Road
	addr     string
	versions string
	server   *proc.Server
	atStart  int64 // bytes resident when it was ready
	exact    bool  // its answers equal tickercast's to the byte
	samples  []sample
	failed   bool // while it was measured
}

// start starts the subject and every peer of a road that was asked for. It leaves out those that
// cannot be installed, do not start or give wrong answers.
func (s *setup) start(ctx context.Context, road bench.Road) (ready []*contender,
	missing []string) {
	s.road, s.client = road, newClient(road)
	for _, p := range peers(road) {
		if p.name != subject && !s.opts.only.MatchString(p.name) {
			continue
		}
		if ctx.Err() != nil {
			return ready, missing
		}
		c, err := s.startOne(ctx, p)
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

func (s *setup) startOne(ctx context.Context, p peer) (*contender, error) {
	cfg, versions, err := p.prepare(ctx, s)
	if err != nil {
		return nil, err
	}
	cfg.Pin, cfg.CPU, cfg.Wait = true, 0, time.Minute
	fmt.Fprintf(s.log, "%s: starting %s\n", s.road.Name, p.name)
	server, err := proc.Start(ctx, cfg)
	if err != nil {
		return nil, err
	}
	s.running = append(s.running, server)
	u, err := server.Usage()
	if err != nil {
		return nil, err
	}
	c := &contender{peer: p, road: s.road, addr: server.Addr, versions: versions, server: server,
		atStart: u.Memory}
	if p.name == subject {
		err = s.learn(ctx, c.addr)
	}
	if err == nil {
		c.exact, err = s.check(ctx, c)
	}
	return c, err
}
