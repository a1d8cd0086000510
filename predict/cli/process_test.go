package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict/cli"
)

// TestMain lets the test binary stand for tickercast itself, so that tests see a real process with
// real signals and exit statuses.
func TestMain(m *testing.M) {
	if os.Getenv("BE_TICKERCAST") == "1" {
		os.Exit(cli.Main(context.Background(), os.Args, os.Environ(), os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// A process is a running `tickercast serve`.
type process struct {
	*exec.Cmd
	addr, admin string
	first       map[string]any // the first line of the log
	mu          sync.Mutex
	log         bytes.Buffer
	stderr      io.Closer // closing it leaves the process without a reader
	exited      chan error
}

// start runs serve on free ports with more flags and waits until it says where.
func start(t *testing.T, flags ...string) *process {
	t.Helper()
	return startWith(t, nil, flags...)
}

// startWith is start with a stdout; nil discards it.
func startWith(t *testing.T, stdout *os.File, flags ...string) *process {
	t.Helper()
	p := newProcess(executable(t), flags)
	if stdout != nil {
		p.Stdout = stdout
	}
	p.run(t)
	return p
}

func executable(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	return exe
}

// run starts the process and waits until it says where it serves.
func (p *process) run(t *testing.T) {
	t.Helper()
	pipe, err := p.StderrPipe()
	require.NoError(t, err)
	p.stderr = pipe
	require.NoError(t, p.Start())
	lines := bufio.NewReader(pipe)
	var first []byte
	for p.first["msg"] == nil || p.first["msg"] == "loading" { // said on a busy machine
		first, err = lines.ReadBytes('\n')
		require.NoError(t, err, "no first line; got %q", first)
		require.NoError(t, json.Unmarshal(first, &p.first), "first line %q", first)
	}
	p.addr, _ = p.first["addr"].(string)
	p.admin, _ = p.first["admin_addr"].(string)
	require.NotEmpty(t, p.addr, "first line %q", first)
	go func() {
		io.Copy(p, lines)
		p.exited <- p.Wait()
	}()
	t.Cleanup(func() {
		p.Process.Kill()
		if t.Failed() {
			t.Logf("log of the server:\n%s%s", first, p.logged())
		}
	})
}

func newProcess(exe string, flags []string) *process {
	p := &process{exited: make(chan error, 1)}
	p.Cmd = exec.Command(exe,
		append([]string{"serve", "-addr", "127.0.0.1:0", "-admin-addr", "127.0.0.1:0",
			"-health-socket", ""},
			flags...)...)
	// Only tests of the calibration pay for it.
	p.Env = append(environment(), "TICKERCAST_CALIBRATION_DAYS=0")
	return p
}

// environment lets a process be tickercast. Variables of the test run are not for it.
func environment() (vars []string) {
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "TICKERCAST_") {
			vars = append(vars, v)
		}
	}
	return append(vars, "BE_TICKERCAST=1")
}

// startUnready runs serve and does not wait for it.
func startUnready(t *testing.T, flags ...string) *process {
	t.Helper()
	p := newProcess(executable(t), flags)
	require.NoError(t, p.Start())
	go func() { p.exited <- p.Wait() }()
	t.Cleanup(func() { p.Process.Kill() })
	return p
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.log.Len() > 1<<20 {
		p.log.Next(p.log.Len() / 2) // a server may run for hours
	}
	return p.log.Write(b)
}

func (p *process) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// waitExit returns the exit status.
func (p *process) waitExit(t *testing.T, within time.Duration) int {
	t.Helper()
	select {
	case <-p.exited:
		return p.ProcessState.ExitCode()
	case <-time.After(within):
		t.Fatalf("still running after %s", within)
		return -1
	}
}

func (p *process) post(t *testing.T, path, body string) (int, string) {
	t.Helper()
	resp, err := http.Post("http://"+p.addr+path, "application/json", strings.NewReader(body))
	require.NoError(t, err)
	return readAll(t, resp)
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	return readAll(t, resp)
}

func readAll(t *testing.T, resp *http.Response) (int, string) {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(body)
}

// eventually asks again until cond holds: for what another process does in its time.
func eventually(t *testing.T, within time.Duration, cond func() bool) {
	t.Helper()
	require.Eventually(t, cond, within, 10*time.Millisecond)
}

// publicGet asks the public port, over TLS if that is what it speaks.
func (p *process) publicGet(t *testing.T, path string) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	resp, err := client.Get("http://" + p.addr + path)
	if err == nil && resp.StatusCode == http.StatusBadRequest { // plain HTTP on a TLS port
		resp.Body.Close()
		resp, err = client.Get("https://" + p.addr + path)
	}
	require.NoError(t, err)
	return readAll(t, resp)
}

// anAdminToken is the token of tests whose server wants one.
const anAdminToken = "a-token-of-operators"

// adminGet asks the admin port, with the token that it may want.
func (p *process) adminGet(t *testing.T, path string) string {
	t.Helper()
	_, body := ask(t, "GET", "http://"+p.admin+path, "", "Authorization: Bearer "+anAdminToken)
	return body
}
