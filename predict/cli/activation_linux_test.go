package cli_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// activated is a server that a service manager starts: its sockets follow standard error, and the
// variables have its own process id.
func activated(t *testing.T, sockets []*os.File, names string, flags ...string) *process {
	t.Helper()
	p := newProcess(executable(t), flags)
	p.Cmd.Args = append([]string{"sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, p.Path},
		p.Args[1:]...)
	sh, err := exec.LookPath("sh")
	require.NoError(t, err)
	p.Path, p.ExtraFiles = sh, sockets
	p.Env = append(p.Env, fmt.Sprintf("LISTEN_FDS=%d", len(sockets)), "LISTEN_FDNAMES="+names)
	p.run(t)
	return p
}

func heldSocket(t *testing.T) (addr string, file *os.File) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	file, err = ln.(*net.TCPListener).File()
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close(); file.Close() })
	return ln.Addr().String(), file
}

func TestActivation(t *testing.T) {
	addr, public := heldSocket(t)
	adminAddr, admin := heldSocket(t)
	// The address is in use, as it is for a unit that keeps its -addr.
	p := activated(t, []*os.File{public, admin}, "tickercast.socket:admin", "-addr", addr)
	require.Equal(t, addr, p.addr)
	require.Equal(t, adminAddr, p.admin)
	status, body := p.post(t, "/predict", aForecast)
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, p.adminGet(t, "/metrics"), "build_info")

	status, _, stderr := runCommand(t, map[string]string{"LISTEN_PID": fmt.Sprint(os.Getpid()),
		"LISTEN_FDS": "2"}, "serve")
	require.Equal(t, 2, status)
	require.Contains(t, stderr, "hands over 2 sockets")
	status, _, stderr = runCommand(t, map[string]string{"LISTEN_PID": "1", "LISTEN_FDS": "1"},
		"serve", "-addr", "nowhere")
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "nowhere", "sockets of another process are not taken")
}

// TestRestartsLoseNothing restarts a server whose socket is held, under load of new and of kept
// connections.
func TestRestartsLoseNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("twenty servers")
	}
	const restarts, interval = 20, 5 * time.Millisecond
	addr, socket := heldSocket(t)
	sockets := []*os.File{socket}
	next := func() *process {
		return activated(t, sockets, "", "-drain-delay", "20ms", "-admin-addr", "")
	}
	p := next()

	kept := &http.Client{Timeout: time.Minute}
	fresh := &http.Client{Timeout: time.Minute,
		Transport: &http.Transport{DisableKeepAlives: true}}
	defer kept.CloseIdleConnections()
	var sent, answered atomic.Int64
	var requests, pacer sync.WaitGroup
	stop := make(chan struct{})
	end := sync.OnceFunc(func() {
		close(stop)
		pacer.Wait()
		requests.Wait()
	})
	defer end()
	pacer.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			client := kept
			if sent.Add(1)%2 == 0 {
				client = fresh
			}
			requests.Go(func() {
				// A POST that a server may have seen is not sent again by the client itself.
				resp, err := client.Post("http://"+addr+"/predict", "application/json",
					strings.NewReader(aForecast))
				if err != nil {
					t.Errorf("lost: %v", err)
					return
				}
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					t.Errorf("refused with %d", resp.StatusCode)
					return
				}
				answered.Add(1)
			})
		}
	})
	for range restarts {
		before := answered.Load()
		eventually(t, time.Minute, func() bool { return answered.Load() > before+20 })
		p.Process.Signal(syscall.SIGTERM)
		require.Equal(t, 0, p.waitExit(t, time.Minute))
		p = next()
	}
	end()
	require.Equal(t, sent.Load(), answered.Load())
	t.Logf("%d of %d requests answered over %d restarts", answered.Load(), sent.Load(), restarts)
}

// TestHealthcheckNeedsNoArguments asks servers that listen in ways that it is not told.
func TestHealthcheckNeedsNoArguments(t *testing.T) {
	if testing.Short() {
		t.Skip("five servers")
	}
	chain, key := newCertificate(t, "public")
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	replaceFile(t, certFile, chain)
	replaceFile(t, keyFile, key)
	for i, tt := range []struct{ vars, flags []string }{
		{[]string{"TICKERCAST_TIMEOUT=1ns"}, nil}, // and on another port than the default one
		{nil, []string{"-tls-cert", certFile, "-tls-key", keyFile}},
		{[]string{"TICKERCAST_TLS_CERT=" + certFile, "TICKERCAST_TLS_KEY=" + keyFile}, nil},
		{nil, []string{"-addr", "unix:" + filepath.Join(dir, "socket")}},
		{nil, []string{"-max-conns", "4"}},
	} {
		name := fmt.Sprintf("tickercast-test-%d-%d", os.Getpid(), i)
		p := startWithEnv(t, tt.vars, append(tt.flags, "-health-socket", name)...)
		if i == 4 {
			for range 4 {
				c, err := net.Dial("tcp", p.addr)
				require.NoError(t, err)
				defer c.Close()
			}
			eventually(t, time.Minute, func() bool {
				status, _, _ := runCommand(t, nil, "healthcheck", "-addr", p.addr)
				return status == 1
			})
		}
		env := map[string]string{"TICKERCAST_HEALTH_SOCKET": name,
			"TICKERCAST_ADDR": "127.0.0.1:1"} // where no one listens
		for _, v := range tt.vars {
			k, v, _ := strings.Cut(v, "=")
			env[k] = v
		}
		status, _, stderr := runCommand(t, env, "healthcheck")
		require.Equal(t, 0, status, "%v: %s", tt, stderr)
		if i == 2 { // the admin address has no TLS
			status, _, stderr = runCommand(t, env, "healthcheck", "-addr", p.admin)
			require.Equal(t, 0, status, stderr)
		}
		p.Process.Kill()
		p.waitExit(t, time.Minute)
		status, _, _ = runCommand(t, env, "healthcheck")
		require.Equal(t, 1, status, "%v: the server is gone", tt)
	}
}
