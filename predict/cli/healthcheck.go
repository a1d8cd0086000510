package cli

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"time"

	"tickercast/predict/server"
)

const healthTimeout = 2 * time.Second

// healthcheck is for HEALTHCHECK in an image without a shell: exit status 0 when the server says
// that it is healthy. Unless it is told an address it asks the health socket, so it needs to know
// nothing of how the server listens. Where no one listens there, the server has no such socket or
// does not run: its address tells.
func (e *env) healthcheck(fs *flag.FlagSet) func(context.Context, []string) error {
	addr := fs.String("addr", ":8080", "`address` of the server, instead of its health socket")
	timeout := fs.Duration("timeout", healthTimeout, "give up after this `time`; the variable "+
		"is that of serve and does not count")
	cert := fs.String("tls-cert", "",
		"`file` of the server's certificate; if set, ask by HTTPS without checking the certificate")
	socket := fs.String("health-socket", server.DefaultHealthSocket,
		"`name` of the server's health socket; empty: ask the address")
	return func(ctx context.Context, _ []string) error {
		if err := e.usePort(fs, addr); err != nil {
			return err
		}
		if err := refusePort("addr", *addr); err != nil {
			return err
		}
		if !isGiven(fs, "timeout") {
			*timeout = healthTimeout
		}
		ctx, cancel := context.WithTimeout(ctx, *timeout)
		defer cancel()
		if *socket != "" && !isGiven(fs, "addr") && runtime.GOOS == "linux" {
			err := checkHealth(ctx, "http", server.HealthAddr(*socket))
			if !errors.Is(err, syscall.ECONNREFUSED) {
				return err
			}
		}
		target, err := healthTarget(*addr)
		if err != nil {
			return err
		}
		if *cert == "" {
			return checkHealth(ctx, "http", target)
		}
		err = checkHealth(ctx, "https", target)
		// The variable of the certificate is there for serve, and the address may be the admin's.
		if errors.Is(err, http.ErrSchemeMismatch) {
			err = checkHealth(ctx, "http", target)
		}
		return err
	}
}

// healthTarget is where to reach a server that listens on addr.
func healthTarget(addr string) (string, error) {
	if strings.HasPrefix(addr, "unix:") {
		return addr, nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", usagef("-addr %q: %v", addr, err)
	}
	switch host { // an address that means all of them: ask by loopback
	case "", "0.0.0.0":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	return net.JoinHostPort(host, port), nil
}

func checkHealth(ctx context.Context, scheme, addr string) error {
	transport := &http.Transport{
		// No proxy, since what is asked is this machine, by an address that no certificate names.
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		DisableKeepAlives: true,
	}
	host := addr
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		host = "localhost"
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+host+"/health", nil)
	if err != nil {
		return err
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return fmt.Errorf("asking %s: %w", addr, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil {
		return fmt.Errorf("asking %s: %w", addr, err)
	}
	var health struct{ Status string }
	if err := json.Unmarshal(body, &health); resp.StatusCode != http.StatusOK || err != nil ||
		health.Status != "healthy" {
		return fmt.Errorf("%s answered %s: %q", addr, resp.Status, body)
	}
	return nil
}
