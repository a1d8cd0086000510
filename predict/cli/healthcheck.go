package cli

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// healthcheck is for HEALTHCHECK in an image without a shell: exit status 0 when the server says
// that it is healthy.
func (e *env) healthcheck(fs *flag.FlagSet) func(context.Context, []string) error {
	addr := fs.String("addr", ":8080", "`address` of the server")
	timeout := fs.Duration("timeout", 2*time.Second, "give up after this `time`")
	cert := fs.String("tls-cert", "",
		"`file` of the server's certificate; if set, ask by HTTPS without checking the certificate")
	return func(ctx context.Context, _ []string) error {
		host, port, err := net.SplitHostPort(*addr)
		if err != nil {
			return usagef("-addr %q: %v", *addr, err)
		}
		switch host { // an address that means all of them: ask by loopback
		case "", "0.0.0.0":
			host = "127.0.0.1"
		case "::":
			host = "::1"
		}
		ctx, cancel := context.WithTimeout(ctx, *timeout)
		defer cancel()
		scheme := "http"
		if *cert != "" {
			scheme = "https"
		}
		return checkHealth(ctx, scheme+"://"+net.JoinHostPort(host, port)+"/health")
	}
}

func checkHealth(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	// No proxy, since what is asked is this machine, by an address that no certificate names.
	client := http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		DisableKeepAlives: true,
	}}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil {
		return fmt.Errorf("reading %s: %w", url, err)
	}
	var health struct{ Status string }
	if err := json.Unmarshal(body, &health); resp.StatusCode != http.StatusOK || err != nil ||
		health.Status != "healthy" {
		return fmt.Errorf("%s answered %s: %q", url, resp.Status, body)
	}
	return nil
}
