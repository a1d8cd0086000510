package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type prediction struct {
	Ticker       string  `json:"ticker"`
	Date         string  `json:"date"`
	Price        float64 `json:"predicted_price"`
	Lower        float64 `json:"confidence_lower"`
	Upper        float64 `json:"confidence_upper"`
	ModelVersion string  `json:"model_version"`
}

func decodeRows(t *testing.T, body string) (rows []prediction) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(body), &rows), "body %q", body)
	return rows
}

func TestServeAnswersForecasts(t *testing.T) {
	p := start(t)
	status, body := p.post(t, "/predict", `{"ticker":"AAPL","days_ahead":5}`)
	require.Equal(t, http.StatusOK, status, body)
	rows := decodeRows(t, body)
	require.Len(t, rows, 5)
	require.Regexp(t,
		`^\[\{"ticker":"AAPL","date":"\d{4}-\d\d-\d\d","predicted_price":[\d.]+,"confidence_lower":[\d.]+,"confidence_upper":[\d.]+,"model_version":"[^"]+"\},`, body)
	require.Equal(t, p.first["model"], rows[0].ModelVersion)
	last := p.first["as_of"].(string)
	width := 0.0
	for _, r := range rows {
		require.Less(t, last, r.Date, "dates rise, from the day after the last close")
		require.Less(t, r.Lower, r.Price)
		require.Less(t, r.Price, r.Upper)
		require.GreaterOrEqual(t, r.Upper-r.Lower, width, "the interval does not shrink with days")
		last, width = r.Date, r.Upper-r.Lower
	}

	status, body = p.post(t, "/predict", fmt.Sprintf(`{"ticker":"%s"}`, strings.Repeat("A", 50)))
	require.Equal(t, http.StatusUnprocessableEntity, status, body)

	status, body = get(t, "http://"+p.addr+"/health")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, `{"status":"healthy"}`, body)
}

func TestConfidenceIsPartOfTheAnswer(t *testing.T) {
	p := start(t)
	for range 2 { // computed, then cached
		_, narrow := p.post(t, "/predict", `{"ticker":"MSFT","confidence_interval":0.8}`)
		_, wide := p.post(t, "/predict", `{"ticker":"MSFT","confidence_interval":0.99}`)
		n, w := decodeRows(t, narrow)[0], decodeRows(t, wide)[0]
		require.Equal(t, n.Price, w.Price)
		require.Less(t, w.Lower, n.Lower)
		require.Greater(t, w.Upper, n.Upper)
	}
}

func TestAdminIsNotPublic(t *testing.T) {
	p := start(t)
	for _, path := range []string{"/metrics", "/debug/pprof/", "/-/reload"} {
		status, _ := get(t, "http://"+p.addr+path)
		require.Equal(t, http.StatusNotFound, status, path)
	}
	_, _ = p.post(t, "/predict", `{"ticker":"AAPL"}`)
	status, text := get(t, "http://"+p.admin+"/metrics")
	require.Equal(t, http.StatusOK, status)
	for _, want := range []string{
		"\nhttp_requests_total{", "\nhttp_request_duration_seconds_bucket{", "\nmarket_age_sessions ",
		"\nmodel_info{", "\npredict_cache_misses_total 1\n",
	} {
		require.Contains(t, text, want)
	}
	status, _ = get(t, "http://"+p.admin+"/debug/pprof/cmdline")
	require.Equal(t, http.StatusOK, status)
}

func TestTermDrains(t *testing.T) {
	p := start(t, "-drain-delay", "500ms")
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	eventually(t, 2*time.Second, func() bool { // not ready, and still answering
		status, body := get(t, "http://"+p.addr+"/readyz")
		return status == http.StatusServiceUnavailable && strings.Contains(body, "draining")
	})
	resp, err := http.Post("http://"+p.addr+"/predict", "application/json",
		strings.NewReader(`{"ticker":"AAPL"}`))
	require.NoError(t, err)
	status, _ := readAll(t, resp)
	require.Equal(t, http.StatusOK, status)
	require.True(t, resp.Close, "an answer of a draining server asks to close")
	require.Equal(t, 0, p.waitExit(t, 5*time.Second))
	_, err = net.Dial("tcp", p.addr)
	require.Error(t, err, "a server still listens")
}

// TestTermClosesSilent: a connection on which nothing has come holds no request that the end of a
// server could cut off.
func TestTermClosesSilent(t *testing.T) {
	for _, lane := range []bool{true, false} {
		p := start(t, fmt.Sprintf("-fastlane=%v", lane), "-drain-delay", "0s", "-grace", "1s")
		c, err := net.Dial("tcp", p.addr)
		require.NoError(t, err)
		defer c.Close()
		get(t, "http://"+p.addr+"/health") // accepted after that one
		require.NoError(t, p.Process.Signal(syscall.SIGTERM))
		require.Equal(t, 0, p.waitExit(t, 10*time.Second), "lane %v: %s", lane, p.logged())
	}
}

func TestInterruptDoesNotWait(t *testing.T) {
	p := start(t, "-drain-delay", "1m")
	require.NoError(t, p.Process.Signal(syscall.SIGINT))
	require.Equal(t, 0, p.waitExit(t, 5*time.Second))
}

func TestSecondSignalExitsAtOnce(t *testing.T) {
	p := start(t, "-drain-delay", "1m")
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	eventually(t, 2*time.Second, func() bool { return strings.Contains(p.logged(), "draining") })
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	require.Equal(t, 1, p.waitExit(t, 5*time.Second))
}

func TestPortInUse(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	taken := ln.Addr().String()
	for _, args := range [][]string{
		{"serve", "-addr", taken},
		{"-addr", taken}, // serve is the default
		{"serve", "-addr", "127.0.0.1:0", "-admin-addr", taken},
		{"serve", "-addr", "127.0.0.1:0", "-admin-addr", "127.0.0.1:0", "-prices",
			"no/such/folder"},
	} {
		status, _, stderr := runCommand(t, nil, args...)
		require.Equal(t, 1, status, args)
		require.Equal(t, 1, strings.Count(stderr, "\n"), "one line: %q", stderr)
	}
}

func TestEnvironmentSetsFlags(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	env := map[string]string{"TICKERCAST_ADDR": ln.Addr().String()}
	status, _, stderr := runCommand(t, env, "serve")
	require.Equal(t, 1, status)
	require.Contains(t, stderr, ln.Addr().String())
	// A flag beats it: another address is not in use.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, 0, runWith(ctx, env, io.Discard, t.Output(), "serve", "-addr", "127.0.0.1:0",
		"-admin-addr", ""))
}

func TestHealthcheck(t *testing.T) {
	p := start(t)
	status, _, stderr := runCommand(t, nil, "healthcheck", "-addr", p.addr)
	require.Equal(t, 0, status, stderr)
	_, port, err := net.SplitHostPort(p.addr)
	require.NoError(t, err)
	status, _, stderr = runCommand(t, map[string]string{"TICKERCAST_ADDR": ":" + port},
		"healthcheck")
	require.Equal(t, 0, status, stderr)
}

// TestServeSaysWhatMayBeCut starts with a file that has no last line break, and reloads it.
func TestServeSaysWhatMayBeCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "prices.csv")
	require.NoError(t, os.WriteFile(path, bytes.TrimSuffix(pricesCSV(100), []byte("\n")), 0o644))
	p := start(t, "-prices", path)
	said := func(times int) func() bool {
		return func() bool { return strings.Count(p.logged(), "may be cut short") == times }
	}
	eventually(t, 10*time.Second, said(1))
	resp, err := http.Post("http://"+p.admin+"/-/reload", "", nil)
	require.NoError(t, err)
	status, body := readAll(t, resp)
	require.Equal(t, http.StatusOK, status, body)
	eventually(t, 10*time.Second, said(2))
	require.Contains(t, p.logged(), path)
}
