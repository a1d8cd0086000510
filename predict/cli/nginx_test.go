//go:build unix

package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startNginx runs nginx with locations until the test ends, and returns its URL.
func startNginx(t *testing.T, locations string) string {
	t.Helper()
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		nginx = "/usr/sbin/nginx" // where Debian has it, which is not in everyone's PATH
	}
	if _, err := os.Stat(nginx); err != nil {
		t.Skip("nginx is not installed: paths behind it are not tested")
	}
	// Another process may take the port before nginx does. Then another one is tried.
	for range 5 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		addr := ln.Addr().String()
		ln.Close()
		dir := t.TempDir()
		config := filepath.Join(dir, "nginx.conf")
		var temp strings.Builder
		for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
			fmt.Fprintf(&temp, "%s_temp_path %s;\n", kind, filepath.Join(dir, kind))
		}
		require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
			daemon off; master_process off; worker_processes 1; error_log stderr;
			pid %s; events {}
			http { access_log off; %s server { listen %s; %s } }`,
			filepath.Join(dir, "pid"), &temp, addr, locations), 0o600))
		ctx, cancel := context.WithCancel(context.Background())
		cmd := exec.CommandContext(ctx, nginx, "-c", config, "-p", dir)
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		cmd.Stderr = t.Output()
		require.NoError(t, cmd.Start())
		ended := make(chan struct{})
		go func() { cmd.Wait(); close(ended) }()
		t.Cleanup(func() { cancel(); <-ended })
		for alive := true; alive; {
			if conn, err := net.Dial("tcp", addr); err == nil {
				conn.Close()
				return "http://" + addr
			}
			select {
			case <-ended:
				alive = false
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	t.Fatal("nginx does not start")
	return ""
}

// TestBehindNginx asks servers below a prefix that nginx strips or keeps: the page and all that it
// links to, the document and its routes, and redirects.
func TestBehindNginx(t *testing.T) {
	if testing.Short() {
		t.Skip("a proxy and three servers")
	}
	socket := filepath.Join(t.TempDir(), "s")
	stripped := start(t, "-root-path", "/api/forecast")
	kept := start(t, "-root-path", "/kept")
	unset := start(t, "-addr", "unix:"+socket) // it does not know its prefix
	site := startNginx(t, fmt.Sprintf(`
		location /api/forecast/ { proxy_pass http://%s/; }
		location /kept/ { proxy_pass http://%s; }
		location /unset/ { proxy_pass http://unix:%s:/; }`, stripped.addr, kept.addr, socket))
	require.Equal(t, "unix:"+socket, unset.addr)
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for _, prefix := range []string{"/api/forecast", "/kept", "/unset"} {
		base := site + prefix
		ask := func(method, target string) (*http.Response, string) {
			t.Helper()
			req, err := http.NewRequestWithContext(t.Context(), method, target,
				strings.NewReader(aForecast))
			require.NoError(t, err)
			req.Header.Set("Content-Type", "application/json")
			resp, err := client.Do(req)
			require.NoError(t, err)
			_, body := readAll(t, resp)
			return resp, body
		}
		for path, method := range map[string]string{"/predict/": "POST", "/predict": "POST",
			"/docs/": "GET", "/tickers/AAPL/": "GET"} {
			resp, body := ask(method, base+path)
			require.Equal(t, http.StatusOK, resp.StatusCode, "%s%s: %s", base, path, body)
			require.Equal(t, base+strings.TrimSuffix(path, "/"), resp.Request.URL.String())
		}

		resp, page := ask("GET", base+"/docs")
		links := regexp.MustCompile(`(?:src|href)="([^"#]+)"`).FindAllStringSubmatch(page, -1)
		require.Greater(t, len(links), 5)
		for _, link := range links {
			target, err := resp.Request.URL.Parse(link[1])
			require.NoError(t, err)
			require.True(t, strings.HasPrefix(target.String(), base), target)
			linked, _ := ask("GET", target.String())
			require.Equal(t, http.StatusOK, linked.StatusCode, target)
		}

		resp, text := ask("GET", base+"/openapi.json")
		var document struct {
			Servers []struct{ URL string }
			Paths   map[string]map[string]any
		}
		require.NoError(t, json.Unmarshal([]byte(text), &document))
		if prefix == "/unset" {
			continue
		}
		root, err := resp.Request.URL.Parse(document.Servers[0].URL)
		require.NoError(t, err)
		_, text = ask("GET", base+"/v2/models/tickercast")
		var served struct{ Versions []string }
		require.NoError(t, json.Unmarshal([]byte(text), &served))
		require.Len(t, served.Versions, 1)
		for path, methods := range document.Paths {
			path = strings.NewReplacer("{ticker}", "AAPL", "{asset}", "app.js", "{name}",
				"tickercast", "{version}", served.Versions[0]).Replace(path)
			for method := range methods {
				resp, _ := ask(strings.ToUpper(method), root.String()+path)
				require.NotContains(t, []int{404, 405, 502}, resp.StatusCode, root.String()+path)
			}
		}
		runSchemathesis(t, base)
		drawPage(t, base)
	}
}

// runSchemathesis makes requests from the document, at the addresses that it gives. A variable
// names the program, which is not on every machine.
func runSchemathesis(t *testing.T, base string) {
	t.Helper()
	st := os.Getenv("TICKERCAST_SCHEMATHESIS")
	if st == "" {
		t.Log("TICKERCAST_SCHEMATHESIS names no program: not run")
		return
	}
	// Unusual paths are nginx's to answer or to refuse, so only good requests are made.
	cmd := exec.CommandContext(t.Context(), st, "--config-file", "../../docs/schemathesis.toml",
		"run", base+"/openapi.json", "--mode", "positive", "--max-examples", "10", "--seed", "1",
		"--phases", "examples,fuzzing", "--no-color")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
}

// drawPage loads the page in a browser, if there is one: it must find its routes.
func drawPage(t *testing.T, base string) {
	t.Helper()
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Log("no chromium in PATH: the page is not drawn")
		return
	}
	profile, err := os.MkdirTemp("", "tickercast-page") // a child of the browser may still write
	require.NoError(t, err)
	defer os.RemoveAll(profile)
	out, err := exec.CommandContext(t.Context(), browser, "--headless", "--no-sandbox",
		"--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync",
		"--disable-component-update", "--disable-dev-shm-usage", "--user-data-dir="+profile,
		"--virtual-time-budget=20000", "--dump-dom", base+"/docs?t=AAPL&d=5").Output()
	require.NoError(t, err)
	require.Contains(t, string(out), `data-ready="true"`)
	require.Contains(t, string(out), "tickers, prices to", "the page has asked for the model")
	require.Equal(t, 5, strings.Count(string(out), `<tr><th scope="row">AAPL</th>`))
	u, err := url.Parse(base)
	require.NoError(t, err)
	require.Contains(t, string(out), u.Host+u.Path+"/predict", "examples have the prefix")
}
