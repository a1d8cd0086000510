//go:build linux

package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"encoding/xml"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"tickercast/bench/proc"
)

// TestH2spec runs h2spec, which tests servers of HTTP/2, against tickercast and against net/http as
// it is. tickercast must fail no case that net/http does not fail. Some cases fail now and then on
// both, so a case counts as failed only if it fails three times.
func TestH2spec(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	dir := t.TempDir()
	binary, err := proc.Build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile := newCertificate(t, dir)
	for name, tt := range map[string]struct {
		tls   bool
		flags []string
	}{
		"TLS":    {true, []string{"-tls-cert", certFile, "-tls-key", keyFile}},
		"no TLS": {false, []string{"-h2c"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ours := serveHTTP2(t, binary, tt.flags)
			stock := stockHTTP2(t, tt.tls, certFile, keyFile)
			failed, known := h2spec(t, ours, tt.tls), h2spec(t, stock, tt.tls)
			without := func(c string, _ string) bool { return known[c] != "" }
			for range 2 {
				maps.DeleteFunc(failed, without)
				if len(failed) == 0 {
					break
				}
				again := h2spec(t, ours, tt.tls)
				maps.DeleteFunc(failed, func(c, _ string) bool { return again[c] == "" })
				maps.Copy(known, h2spec(t, stock, tt.tls))
			}
			maps.DeleteFunc(failed, without)
			for c, got := range failed {
				t.Errorf("%s: %s", c, got)
			}
			t.Logf("net/http fails %d cases", len(known))
		})
	}
}

// h2spec returns what it got in the cases that a server fails.
func h2spec(t *testing.T, addr string, overTLS bool) map[string]string {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(t.TempDir(), "report.xml")
	args := []string{"tool", "h2spec", "-h", host, "-p", port, "--path", "/health", "--timeout", "3",
		"--junit-report", report}
	if overTLS {
		args = append(args, "-t", "-k")
	}
	out, failing := exec.CommandContext(t.Context(), "go", args...).CombinedOutput() // any case
	b, err := os.ReadFile(report)
	if err != nil {
		t.Fatalf("%v: %v: %s", err, failing, out)
	}
	var r struct {
		Cases []struct {
			Package string  `xml:"package,attr"`
			Name    string  `xml:"classname,attr"`
			Failure *string `xml:"failure"`
			Error   *string `xml:"error"`
		} `xml:"testsuite>testcase"`
	}
	if err := xml.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Cases) < 140 {
		t.Fatalf("%d cases: %s", len(r.Cases), out)
	}
	failed := map[string]string{}
	for _, c := range r.Cases {
		for _, why := range []*string{c.Failure, c.Error} {
			if why != nil {
				failed[c.Package+": "+c.Name] = "got " + *why
			}
		}
	}
	return failed
}

// serveHTTP2 runs tickercast and returns its address.
func serveHTTP2(t *testing.T, binary string, flags []string) string {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"serve", "-addr", "127.0.0.1:0", "-admin-addr", "",
		"-drain-delay", "0s"}, flags...)...)
	log, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	lines := bufio.NewReader(log)
	first, err := lines.ReadBytes('\n')
	var serving struct{ Addr string }
	if err == nil {
		err = json.Unmarshal(first, &serving)
	}
	if err != nil || serving.Addr == "" {
		t.Fatalf("%v: %s", err, first)
	}
	go io.Copy(io.Discard, lines)
	return serving.Addr
}

// stockHTTP2 serves /health with net/http and returns the address.
func stockHTTP2(t *testing.T, overTLS bool, certFile, keyFile string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"status":"healthy"}`)
	})
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(overTLS)
	protocols.SetUnencryptedHTTP2(!overTLS)
	s := &http.Server{Handler: mux, Protocols: protocols, TLSConfig: new(tls.Config)}
	if overTLS {
		go s.ServeTLS(ln, certFile, keyFile)
	} else {
		go s.Serve(ln)
	}
	t.Cleanup(func() { s.Close() })
	return ln.Addr().String()
}

// newCertificate writes a certificate and its key into dir.
func newCertificate(t *testing.T, dir string) (certFile, keyFile string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		b := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", key)
}
