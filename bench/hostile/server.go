//go:build linux

package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tickercast/bench"
	"tickercast/bench/load"
	"tickercast/bench/proc"
)

// A server is a tickercast whose cache is full.
type server struct {
	*proc.Server
	admin   string
	grouped bool
	remove  func() // of its control group
}

// start starts a server with the memory that options say. dir is for its certificate.
func (o *options) start(ctx context.Context, dir string) (*server, error) {
	admin, err := proc.FreeAddr()
	if err != nil {
		return nil, err
	}
	cfg := proc.Tickercast(o.binary, append([]string{"-h2c", "-admin-addr", admin}, o.flags...)...)
	cfg.Ready = "http://" + admin + "/readyz"
	if o.tls {
		cert, key, err := writeCertificate(dir)
		if err != nil {
			return nil, err
		}
		cfg.Args = append(cfg.Args, "-tls-cert", cert, "-tls-key", key, "-h2c=false")
	}
	cfg.Env = []string{fmt.Sprintf("GOMEMLIMIT=%d", o.limit<<20/10*9)}
	s := &server{admin: admin, remove: func() {}}
	if o.group {
		join, remove, err := makeGroup(o.limit << 20)
		if err != nil {
			fmt.Fprintf(o.log, "without a control group: %v\n", err)
		} else {
			cfg.Args, s.grouped, s.remove = append(join, cfg.Args...), true, remove
		}
	}
	if s.Server, err = proc.Start(ctx, cfg); err != nil {
		s.remove()
		return nil, err
	}
	if err := o.fill(ctx, s); err != nil {
		s.stop()
		return nil, fmt.Errorf("filling the cache: %w", err)
	}
	return s, nil
}

func (s *server) stop() {
	s.Stop()
	s.remove()
}

// fill asks for forecasts until the cache is full.
func (o *options) fill(ctx context.Context, s *server) error {
	miss := bench.Miss(s.Addr)
	for range 100 {
		evicted, err := s.metric(ctx, "predict_cache_evictions_total")
		if err != nil || evicted > 0 {
			return err
		}
		if _, err := load.Run(ctx, load.Config{Addr: s.Addr, Requests: miss, Conns: 8, Count: 5000,
			Duration: time.Minute, Dial: dialer(s.Addr, o.tls)}); err != nil {
			return err
		}
	}
	return errors.New("it does not become full")
}

// metric returns one of the server's metrics.
func (s *server) metric(ctx context.Context, name string) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+s.admin+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("no metric %q", name)
}

// resident is the resident memory of the process in bytes, or 0 when it has ended.
func (s *server) resident() int64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.PID()))
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmRSS:" {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n << 10
		}
	}
	return 0
}

// writeCertificate writes a certificate that no one trusts.
func writeCertificate(dir string) (cert, key string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1),
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return "", "", err
	}
	der8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", err
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	return cert, key, errors.Join(
		os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der8}), 0o600))
}

// makeGroup makes a control group with a memory limit. join is what makes the command after it a
// member.
func makeGroup(limit int64) (join []string, remove func(), err error) {
	for _, version := range []struct{ root, file string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, {"/sys/fs/cgroup", "memory.max"},
	} {
		dir := filepath.Join(version.root, fmt.Sprintf("tickercast-hostile-%d-%d", os.Getpid(), time.Now().UnixNano()))
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
