package cli_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// limited makes a program that runs this one with a limit of open files.
func limited(t *testing.T, files int) string {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	script := filepath.Join(t.TempDir(), "limited")
	require.NoError(t, os.WriteFile(script,
		fmt.Appendf(nil, "#!/bin/sh\nulimit -n %d\nexec '%s' \"$@\"\n", files, exe), 0o755))
	return script
}

// TestFewDescriptors fills both ports of a server with 256 descriptors with connections that ask
// once and stay, as often as it closes them. New clients are served all the while.
func TestFewDescriptors(t *testing.T) {
	if testing.Short() {
		t.Skip("hundreds of connections to another process")
	}
	prices := filepath.Join(t.TempDir(), "prices.csv")
	replaceFile(t, prices, pricesCSV(100))
	p := startProgram(t, limited(t, 256), nil, "-prices", prices, "-watch", "0")
	require.EqualValues(t, 144, p.first["max_conns"])
	var open []net.Conn
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	fill := func(addr string, n int) {
		for range n {
			c, err := net.Dial("tcp", addr)
			require.NoError(t, err)
			open = append(open, c)
			require.NoError(t, c.SetDeadline(time.Now().Add(10*time.Second)))
			_, err = io.WriteString(c, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
			require.NoError(t, err)
			answer := make([]byte, 15)
			_, err = io.ReadFull(c, answer)
			require.NoError(t, err)
			require.Equal(t, "HTTP/1.1 200 OK", string(answer))
		}
	}
	client := &http.Client{Timeout: 10 * time.Second,
		Transport: &http.Transport{DisableKeepAlives: true}}
	for round := range 3 {
		fill(p.admin, 300)
		fill(p.addr, 300)
		for _, url := range []string{p.addr + "/health", p.admin + "/livez", p.admin + "/metrics"} {
			resp, err := client.Get("http://" + url)
			require.NoError(t, err)
			status, _ := readAll(t, resp)
			require.Equal(t, 200, status, url)
		}
		replaceFile(t, prices, pricesCSV(200+float64(round)))
		resp, err := client.Post("http://"+p.admin+"/-/reload", "", nil)
		require.NoError(t, err)
		status, body := readAll(t, resp)
		require.Equal(t, 200, status, body)
	}
	require.NotContains(t, p.logged(), "too many open files")
	require.NoError(t, p.Process.Signal(syscall.SIGINT))
	require.Equal(t, 0, p.waitExit(t, 20*time.Second))
}

// TestTooFewDescriptors has a server say that it cannot have the connections that it needs.
func TestTooFewDescriptors(t *testing.T) {
	p := newProcess(limited(t, 65), nil)
	var stderr strings.Builder
	p.Stderr = &stderr
	err := p.Run()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, stderr.String())
	require.Contains(t, stderr.String(), "the limit of open files is 65, which is too low for 16 "+
		"connections: it must be 112 or more (ulimit -n)")
}
