package cli_test

import (
	"bytes"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestStandardInput pipes prices into each command that takes them.
func TestStandardInput(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	for _, args := range [][]string{{"check", "-prices", "-"},
		{"predict", "-prices", "-", "-format", "csv", "ACME"}} {
		for _, data := range [][]byte{pricesCSV(100), gzipped(t, pricesCSV(100))} {
			cmd := exec.CommandContext(t.Context(), exe, args...)
			cmd.Env = environment()
			cmd.Stdin = bytes.NewReader(data)
			out, err := cmd.Output()
			require.NoError(t, err, args)
			require.Contains(t, string(out), "ACME")
			require.Contains(t, string(out), "2024-06-24")
		}
	}
	cmd := exec.CommandContext(t.Context(), exe, "check", "-prices", "-")
	cmd.Env = environment()
	cmd.Stdin = strings.NewReader("date,ticker,close\n2024-01-02,ACME,x\n")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), `stdin:2: close "x" is not a price`)
	status, _, stderr := runCommand(t, nil, "serve", "-prices", "-")
	require.Equal(t, 2, status)
	require.Contains(t, stderr, "a server reads its prices again and again")
}

// TestURL serves prices from an HTTPS server with a certificate of its own authority.
func TestURL(t *testing.T) {
	const secret = "Bearer s3cret"
	upstream := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter,
		r *http.Request) {
		if r.Header.Get("Authorization") != secret {
			w.WriteHeader(401)
			return
		}
		http.ServeContent(w, r, "", time.Unix(1_700_000_000, 0), bytes.NewReader(pricesCSV(100)))
	}))
	defer upstream.Close()
	dir := t.TempDir()
	roots, auth := filepath.Join(dir, "roots.pem"), filepath.Join(dir, "auth")
	replaceFile(t, roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
		Bytes: upstream.Certificate().Raw}))
	replaceFile(t, auth, []byte(secret+"\n"))
	url := upstream.URL + "/prices.csv?key=t0ken"

	exe, err := os.Executable()
	require.NoError(t, err)
	for want, env := range map[string]string{
		"":                  "SSL_CERT_FILE=" + roots,
		"unknown authority": "SSL_CERT_FILE=" + auth,
	} {
		cmd := exec.CommandContext(t.Context(), exe, "check", "-prices", url, "-prices-auth-file",
			auth)
		cmd.Env = append(os.Environ(), "BE_TICKERCAST=1", "SSL_CERT_DIR="+dir+"/none", env)
		out, err := cmd.CombinedOutput()
		require.Equal(t, want == "", err == nil, "%v %s", err, out)
		require.Contains(t, string(out), want)
		require.NotContains(t, string(out), "t0ken")
	}

	t.Setenv("SSL_CERT_FILE", roots)
	p := start(t, "-prices", url, "-prices-auth-file", auth, "-access-log", "all")
	code, body := p.post(t, "/predict", `{"ticker":"ACME"}`)
	require.Equal(t, 200, code, body)
	metrics := p.adminGet(t, "/metrics")
	require.Contains(t, metrics, `tickercast_last_reload_successful{resource="prices"} 1`)
	replaceFile(t, auth, []byte("Bearer other"))
	resp, body := ask(t, "POST", "http://"+p.admin+"/-/reload", "")
	require.Equal(t, 422, resp.StatusCode)
	require.Contains(t, body, upstream.URL+"/prices.csv: 401 Unauthorized")
	_, ready := get(t, "http://"+p.addr+"/readyz")
	require.Equal(t, `{"status":"ready","reasons":["prices: the last reload was refused"]}`, ready)
	code, _ = p.post(t, "/predict", `{"ticker":"ACME"}`)
	require.Equal(t, 200, code)
	for _, text := range []string{p.logged(), body, ready, p.adminGet(t, "/metrics"),
		p.adminGet(t, "/readyz")} {
		require.NotContains(t, text, "t0ken")
		require.NotContains(t, text, "s3cret")
		require.NotContains(t, text, "Bearer")
	}
}

// TestURLThatIsNotThereYet asks a server that waits for the prices of another.
func TestURLThatIsNotThereYet(t *testing.T) {
	late := make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-late:
			w.Write(pricesCSV(100))
		default:
			w.WriteHeader(503)
		}
	}))
	defer upstream.Close()
	addr := freeAddr(t)
	p := startUnready(t, "-prices", upstream.URL+"/prices.csv", "-addr", addr)
	ready := func() (code int, body string) {
		resp, err := http.Get("http://" + addr + "/readyz")
		if err != nil {
			return 0, ""
		}
		return readAll(t, resp)
	}
	eventually(t, 20*time.Second, func() bool { code, _ := ready(); return code == 503 })
	_, body := ready()
	require.Equal(t, `{"status":"not ready","reasons":["loading"]}`, body)
	code, _ := get(t, "http://"+addr+"/livez")
	require.Equal(t, 200, code)
	close(late)
	eventually(t, 30*time.Second, func() bool { code, _ := ready(); return code == 200 })
	require.NoError(t, p.Process.Kill())
}

// freeAddr is an address that was free a moment ago.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}
