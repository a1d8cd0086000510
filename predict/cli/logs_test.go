package cli_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict/internal/limits"
)

const aTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestRequestIDs(t *testing.T) {
	for _, lane := range []string{"-fastlane=true", "-fastlane=false"} {
		p := start(t, lane)
		url := "http://" + p.addr + "/predict"
		resp, _ := ask(t, "POST", url, aForecast)
		require.Regexp(t, `^[0-9a-f]{32}$`, resp.Header.Get(requestID), lane)
		again, _ := ask(t, "POST", url, aForecast)
		require.NotEqual(t, resp.Header.Get(requestID), again.Header.Get(requestID), lane)
		resp, _ = ask(t, "POST", url, aForecast, "X-Request-Id: mine-1")
		require.Equal(t, "mine-1", resp.Header.Get(requestID), lane)
		// where each proxy gives an id to everything, the lane must not be lost
		if lane == "-fastlane=true" {
			_, text := get(t, "http://"+p.admin+"/metrics")
			require.Contains(t, text, "\nfastlane_handed_over_total 0\n")
		}
		resp, _ = ask(t, "GET", "http://"+p.addr+"/nowhere", "", "X-Request-Id: mine-2")
		require.Equal(t, "mine-2", resp.Header.Get(requestID), "an error has one too")
		for _, bad := range [][]string{{"X-Request-Id: a b"},
			{"X-Request-Id: " + strings.Repeat("a", 129)},
			{"X-Request-Id: a", "X-Request-Id: b"}} {
			resp, _ = ask(t, "POST", url, aForecast, bad...)
			require.Equal(t, 200, resp.StatusCode)
			require.Regexp(t, `^[0-9a-f]{32}$`, resp.Header.Get(requestID), bad)
		}
	}
}

func TestAccessLog(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	p := startWith(t, w, "-access-log", "all")
	w.Close()
	url := "http://" + p.addr
	lines := bufio.NewScanner(r)
	for _, tt := range []struct {
		method, path, body string
		headers            []string
		status             int
	}{
		{"POST", "/predict", aForecast, nil, 200}, // by the fast lane
		{"POST", "/predict", aForecast, []string{"X-Request-Id: abc", "Traceparent: " + aTrace},
			200},
		{"POST", "/predict", `{}`, []string{"Traceparent: nonsense"}, 422},
		{"GET", "/no%0d%0awhere", "", nil, 404},
	} {
		resp, body := ask(t, tt.method, url+tt.path, tt.body, tt.headers...)
		require.Equal(t, tt.status, resp.StatusCode)
		require.True(t, lines.Scan(), "a line an answer")
		var line map[string]any
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line), "%q", lines.Text())
		require.Equal(t, "request", line["msg"])
		require.Equal(t, resp.Header.Get(requestID), line["id"])
		require.Equal(t, tt.method, line["method"])
		require.Equal(t, strings.ReplaceAll(tt.path, "%0d%0a", "\r\n"), line["path"])
		require.Equal(t, float64(tt.status), line["status"])
		require.Equal(t, float64(len(body)), line["bytes"])
		require.Equal(t, "HTTP/1.1", line["proto"])
		require.True(t, strings.HasPrefix(line["remote"].(string), "127.0.0.1:"))
		if len(tt.headers) == 2 {
			require.Equal(t, aTrace, line["traceparent"])
		} else {
			require.NotContains(t, line, "traceparent")
		}
	}
}

// TestBlockedLogs does not read what the server writes on stdout and stderr. It must answer all the
// same.
func TestBlockedLogs(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	p := startWith(t, w, "-access-log", "all", "-drain-delay", "0s")
	w.Close()
	const requests = 4000 // 1 MB of lines, where a pipe holds 64 KiB
	request := "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: " +
		"application/json\r\nContent-Length: 17\r\n\r\n" + aForecast
	c, err := net.Dial("tcp", p.addr)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(20*time.Second)))
	go c.Write([]byte(strings.Repeat(request, requests)))
	answers := bufio.NewReader(c)
	for i := range requests {
		resp, err := http.ReadResponse(answers, nil)
		require.NoError(t, err, "answer %d", i)
		status, _ := readAll(t, resp)
		require.Equal(t, 200, status)
	}
	_, text := get(t, "http://"+p.admin+"/metrics")
	require.Regexp(t, `\nlog_records_dropped_total\{log="access"\} [1-9]`, text)
	require.Contains(t, text, "\nlog_records_dropped_total{log=\"server\"} 0\n")
	// It also ends, although the rest of the log cannot be written.
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	require.Equal(t, 0, p.waitExit(t, 5*time.Second))
}

// TestLogsWithoutAReader takes the reader of both logs away, which by default ends a process.
func TestLogsWithoutAReader(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	p := startWith(t, w, "-access-log", "all")
	w.Close()
	r.Close()
	p.stderr.Close()
	for range 20 {
		status, body := p.post(t, "/predict", aForecast)
		require.Equal(t, 200, status, body)
	}
	require.NoError(t, p.Process.Signal(syscall.SIGHUP)) // which is logged
	eventually(t, 5*time.Second, func() bool {
		_, text := get(t, "http://"+p.admin+"/metrics")
		return strings.Contains(text, "log_records_dropped_total{log=\"server\"} 1\n")
	})
	_, text := get(t, "http://"+p.admin+"/metrics")
	require.Regexp(t, `\nlog_records_dropped_total\{log="access"\} [1-9]`, text)
}

func TestMemoryLimit(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "256MiB")
	p := start(t, "-max-conns", "1000000")
	require.Equal(t, float64(256<<20), p.first["memory_limit"])
	// beside the server, its cache and what the limiter counts, twice
	fit := (256-20-64-2*256/8)<<20/limits.ConnBytes - 64
	most, err := limits.Conns(fit, limits.Files(), 54, func(int) int { return 64 })
	require.NoError(t, err)
	require.EqualValues(t, most, p.first["max_conns"])
	require.EqualValues(t, 256<<20/8, p.first["client_memory_bytes"])
	require.EqualValues(t, 4<<20, p.first["max_batch_body"])
}

// TestTooLittleMemory: a server that could not keep its promises does not start, and says why.
func TestTooLittleMemory(t *testing.T) {
	for _, tt := range []struct {
		limit string
		code  int
		want  string
	}{
		{"39MiB", 1, "tickercast serve: GOMEMLIMIT is 39.0 MiB, and a server needs at least 40 MiB\n"},
		{"1MiB", 1, "tickercast serve: GOMEMLIMIT is 1.0 MiB, and a server needs at least 40 MiB\n"},
	} {
		this, err := os.Executable()
		require.NoError(t, err)
		p := newProcess(this, nil)
		p.Env = append(p.Env, "GOMEMLIMIT="+tt.limit)
		out, err := p.CombinedOutput()
		exit, ok := errors.AsType[*exec.ExitError](err)
		require.True(t, ok, "%v: %s", err, out)
		require.Equal(t, tt.code, exit.ExitCode())
		require.Equal(t, tt.want, string(out))
	}
	t.Setenv("GOMEMLIMIT", "40MiB")
	status, body := start(t).post(t, "/predict", aForecast)
	require.Equal(t, 200, status, body)
}
