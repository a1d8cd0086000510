package cli_test

import (
	"encoding/json"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startWithEnv is start with more variables.
func startWithEnv(t *testing.T, vars []string, flags ...string) *process {
	t.Helper()
	p := newProcess(executable(t), flags)
	p.Env = append(p.Env, vars...)
	p.run(t)
	return p
}

func TestStrayVariables(t *testing.T) {
	p := startWithEnv(t, []string{
		"TICKERCAST_CACHE_TLL=5m", "TICKERCAST_PRICE=/nonexist", "TICKERCAST_NOTHING_LIKE_IT=",
		"TICKERCAST_PORT=8080", "TICKERCAST_DRAIN_DELAY=0s",
		// of Kubernetes, for services named tickercast and tickercast-admin
		"TICKERCAST_SERVICE_HOST=10.0.0.1", "TICKERCAST_SERVICE_PORT=80",
		"TICKERCAST_SERVICE_PORT_HTTP=80", "TICKERCAST_PORT_80_TCP=tcp://10.0.0.1:80",
		"TICKERCAST_PORT_80_TCP_PROTO=tcp", "TICKERCAST_PORT_80_TCP_PORT=80",
		"TICKERCAST_PORT_8080_TCP_ADDR=10.0.0.1", "TICKERCAST_ADMIN_SERVICE_HOST=10.0.0.2",
		"TICKERCAST_ADMIN_SERVICE_PORT=9090", "TICKERCAST_ADMIN_PORT=tcp://10.0.0.2:9090",
		"TICKERCAST_ADMIN_PORT_9090_UDP_ADDR=10.0.0.2",
	})
	got := map[string]string{}
	p.Process.Signal(syscall.SIGTERM)
	require.Equal(t, 0, p.waitExit(t, time.Minute))
	for line := range strings.Lines(p.logged()) {
		var warning struct{ Level, Variable, Nearest string }
		require.NoError(t, json.Unmarshal([]byte(line), &warning), line)
		if warning.Variable != "" {
			require.Equal(t, "WARN", warning.Level)
			require.NotContains(t, got, warning.Variable, "one warning each")
			got[warning.Variable] = warning.Nearest
		}
	}
	require.Contains(t, got, "TICKERCAST_PORT", "a number is not what Kubernetes sets")
	delete(got, "TICKERCAST_PORT")
	require.Equal(t, map[string]string{"TICKERCAST_CACHE_TLL": "TICKERCAST_CACHE_TTL",
		"TICKERCAST_PRICE": "TICKERCAST_PRICES"}, got)
}

// TestStrayVariablesOfAFailure warns of them also where the server does not start.
func TestStrayVariablesOfAFailure(t *testing.T) {
	status, _, stderr := runCommand(t, map[string]string{"TICKERCAST_ADR": ":1"}, "serve",
		"-addr", "nowhere")
	require.Equal(t, 1, status)
	require.Contains(t, stderr, `"nearest":"TICKERCAST_ADDR"`)
}

func TestPort(t *testing.T) {
	busy, err := net.Listen("tcp", ":0") // as a server does, so that it fails
	require.NoError(t, err)
	defer busy.Close()
	port := strconv.Itoa(busy.Addr().(*net.TCPAddr).Port)
	for _, tt := range []struct {
		env  map[string]string
		args []string
		used bool
	}{
		{map[string]string{"PORT": port}, nil, true},
		{map[string]string{"PORT": port}, []string{"-addr", "nowhere"}, false},
		{map[string]string{"PORT": port, "TICKERCAST_ADDR": "nowhere"}, nil, false},
		{map[string]string{"PORT": port, "TICKERCAST_ADDR": ""}, nil, true},
	} {
		status, _, stderr := runCommand(t, tt.env, append([]string{"serve"}, tt.args...)...)
		require.Equal(t, 1, status, stderr)
		require.Equal(t, tt.used, strings.Contains(stderr, ":"+port+":"), "%v: %s", tt, stderr)
	}
}
