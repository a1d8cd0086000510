package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBadCredentials gives serve files and settings that it must refuse, each with one line that
// says what is wrong.
func TestBadCredentials(t *testing.T) {
	dir := t.TempDir()
	path := func(name, data string) string {
		file := filepath.Join(dir, name)
		replaceFile(t, file, []byte(data))
		return file
	}
	for _, tt := range []struct {
		status int
		want   string
		flags  []string
	}{
		{1, "keys:1: ", []string{"-api-keys", path("keys", "not a hash")}},
		{1, "no/such/keys", []string{"-api-keys", "no/such/keys"}},
		{1, "token: ", []string{"-admin-token-file", path("token", "short")}},
		{2, "-tls-cert and -tls-key go together", []string{"-tls-cert", "x.pem"}},
		{1, "x.pem", []string{"-tls-cert", "x.pem", "-tls-key", "x.key"}},
		{1, "certificate", []string{"-tls-cert", path("cert", "noise"), "-tls-key",
			path("key", "noise")}},
		{1, "needs -admin-token-file", []string{"-admin-addr", "0.0.0.0:0"}},
		{1, "needs -admin-token-file", []string{"-admin-addr", ":0"}},
		{2, `rate "lots"`, []string{"-rate-limit", "lots"}},
		{2, `origin "example.com"`, []string{"-cors-origins", "example.com"}},
		{2, `rate "sometimes"`, []string{"-access-log", "sometimes"}},
	} {
		status, _, stderr := runCommand(t, nil,
			append([]string{"serve", "-addr", "127.0.0.1:0", "-admin-addr", ""}, tt.flags...)...)
		require.Equal(t, tt.status, status, "%v: %s", tt.flags, stderr)
		require.Contains(t, stderr, tt.want)
		require.Equal(t, 1, strings.Count(stderr, "\n"), "one line: %q", stderr)
	}
}

// TestHealthcheckOverTLS: the variable that makes the server speak TLS makes the check do so.
func TestHealthcheckOverTLS(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	chain, key := newCertificate(t, "elsewhere.example")
	replaceFile(t, certFile, chain)
	replaceFile(t, keyFile, key)
	p := start(t, "-tls-cert", certFile, "-tls-key", keyFile)
	status, _, stderr := runCommand(t, map[string]string{"TICKERCAST_ADDR": p.addr,
		"TICKERCAST_TLS_CERT": certFile}, "healthcheck")
	require.Zero(t, status, stderr)
	status, _, stderr = runCommand(t, nil, "healthcheck", "-addr", p.addr)
	require.Equal(t, 1, status, "asked without TLS: %s", stderr)
}

func TestBadWeightsAreRefused(t *testing.T) {
	good, err := os.ReadFile("../../model/weights.bin")
	require.NoError(t, err)
	flipped := append([]byte{}, good...)
	flipped[len(good)/2] ^= 1
	for name, data := range map[string][]byte{
		"empty":     {},
		"truncated": good[:len(good)/2],
		"flipped":   flipped,
		"longer":    append(append([]byte{}, good...), 0),
	} {
		path := filepath.Join(t.TempDir(), "weights.bin")
		replaceFile(t, path, data)
		status, _, stderr := runCommand(t, nil, "predict", "-weights", path, "AAPL")
		require.Equal(t, 1, status, name)
		require.Contains(t, stderr, path, name)
	}
}
