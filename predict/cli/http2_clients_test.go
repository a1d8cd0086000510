package cli_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An http2Client asks, from several loops over one client, until it is ended.
type http2Client struct {
	name      string
	loops     int
	mayGiveUp *regexp.Regexp // the errors of requests that were refused; nil: there must be none
	end       func(*testing.T) http2Result
}

// http2Clients starts the clients that can be had here.
func http2Clients(t *testing.T, url string) (clients []*http2Client) {
	t.Helper()
	commands := map[string][]string{}
	if python, ok := os.LookupEnv("TICKERCAST_HTTPX_PYTHON"); ok {
		commands["httpx"] = []string{python, "testdata/http2/client.py"}
	} else {
		t.Log("no httpx: TICKERCAST_HTTPX_PYTHON is not set")
	}
	if _, err := exec.LookPath("javac"); err == nil {
		dir := t.TempDir()
		out, err := exec.Command("javac", "-d", dir, "testdata/http2/Client.java").CombinedOutput()
		require.NoError(t, err, "%s", out)
		commands["java"] = []string{"java", "-cp", dir, "Client"}
	} else {
		t.Log("no javac")
	}
	for _, c := range []struct {
		loops int
		pause time.Duration
	}{{1, 0}, {8, 3 * time.Millisecond}} {
		name := func(kind string) string { return fmt.Sprintf("%s-%d", kind, c.loops) }
		clients = append(clients, goHTTP2Client(url, c.loops, c.pause, name("go")))
		for kind, command := range commands {
			clients = append(clients, &http2Client{name(kind), c.loops, givesUp(kind, c.loops),
				startClient(t, append(command, url, fmt.Sprint(c.loops),
					fmt.Sprint(c.pause.Seconds()), name(kind)))})
		}
	}
	return clients
}

func givesUp(kind string, loops int) *regexp.Regexp {
	switch {
	case kind == "java":
		return regexp.MustCompile(`^java\.io\.IOException: GOAWAY received$|` +
			`^java\.net\.http\.HttpTimeoutException: request timed out$`)
	case kind == "httpx" && loops > 1:
		return regexp.MustCompile(`^RemoteProtocolError: <ConnectionTerminated error_code:0,`)
	}
	return nil
}

// startClient starts a command and waits until it asks.
func startClient(t *testing.T, command []string) (end func(*testing.T) http2Result) {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var faults bytes.Buffer
	cmd.Stderr = &faults
	require.NoError(t, cmd.Start())
	kill := time.AfterFunc(5*time.Minute, func() { cmd.Process.Kill() })
	t.Cleanup(func() {
		kill.Stop()
		cmd.Process.Kill()
		cmd.Wait()
	})
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	require.NoError(t, err, "%s: %s", command, &faults)
	require.Equal(t, "asking\n", first)
	return func(t *testing.T) http2Result {
		t.Helper()
		in.Close()
		rest, err := io.ReadAll(lines)
		require.NoError(t, err)
		require.NoError(t, cmd.Wait(), "%s: %s", command, &faults)
		return parseResult(t, rest)
	}
}

// goHTTP2Client does with Go's client what testdata/http2 does with others.
func goHTTP2Client(url string, loops int, pause time.Duration, name string) *http2Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{Protocols: protocols,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	ended := make(chan struct{})
	var running sync.WaitGroup
	var mu sync.Mutex
	result := http2Result{Errors: map[string]int{}}
	loop := func(body string, want int, pause time.Duration) {
		for {
			err := postHTTP2(client, url, body, name, want)
			mu.Lock()
			if err == nil {
				result.Answers++
			} else {
				result.Errors[err.Error()]++
			}
			mu.Unlock()
			select {
			case <-ended:
				return
			case <-time.After(pause):
			}
		}
	}
	for range loops {
		running.Go(func() { loop(`{"ticker":"AAPL","days_ahead":5}`, 200, pause) })
	}
	if loops > 1 {
		running.Go(func() { loop(strings.Repeat(" ", 100_000), 413, 20*time.Millisecond) })
	}
	return &http2Client{name, loops, nil, func(*testing.T) http2Result {
		close(ended)
		running.Wait()
		client.CloseIdleConnections()
		return result
	}}
}

func postHTTP2(client *http.Client, url, body, name string, want int) error {
	req, err := http.NewRequest("POST", url, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Request-Id", name)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != want || resp.ProtoMajor != 2 {
		return fmt.Errorf("%s %s", resp.Proto, resp.Status)
	}
	return nil
}
