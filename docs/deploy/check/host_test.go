package check

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
)

// TestCompose loads the file with Compose's own loader, which refuses what its schema lacks.
func TestCompose(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{filepath.Join("..", "compose.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := project.Services["tickercast"]
	if _, err := os.Stat(filepath.Join(s.Build.Context, "Dockerfile")); err != nil {
		t.Errorf("the image cannot be built: %v", err)
	}
	if !s.ReadOnly || s.User != "65532:65532" || len(s.CapDrop) != 1 || s.CapDrop[0] != "ALL" ||
		s.Privileged {
		t.Errorf("want a read-only root, the user 65532 and no capabilities; got %v, %s, %v",
			s.ReadOnly, s.User, s.CapDrop)
	}
	if h := s.HealthCheck; h == nil || !slices.Equal(h.Test,
		[]string{"CMD", "/tickercast", "healthcheck"}) {
		t.Errorf("the health check is %v", h)
	}
	if s.PidsLimit != 256 || s.MemLimit != 512<<20 || s.Deploy != nil {
		// docker-compose 1.29, which Debian 12 has, refuses a limit of processes below deploy.
		t.Errorf("got limits of %d processes and %d bytes, and below deploy %v", s.PidsLimit, s.MemLimit,
			s.Deploy)
	}
	for _, p := range s.Ports {
		if p.HostIP != "127.0.0.1" {
			t.Errorf("port %s is open on the address %q", p.Published, p.HostIP)
		}
	}
	if grace := time.Duration(*s.StopGracePeriod); grace < 20*time.Second {
		t.Errorf("killed after %v", grace)
	}
}

// TestUnit lets systemd verify the unit and rate its exposure.
func TestUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("there is no systemd-analyze")
	}
	text, err := os.ReadFile(filepath.Join("..", "systemd", "tickercast.service"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	unit := filepath.Join(dir, "tickercast.service")
	here := strings.Replace(string(text), "/usr/local/bin/tickercast", newServer(t).binary, 1)
	if err := os.WriteFile(unit, []byte(here), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no",
		unit).CombinedOutput()
	if err != nil || strings.Contains(string(out), "tickercast.service:") {
		t.Errorf("verify: %v: %s", err, out)
	}
	socket, err := os.ReadFile(filepath.Join("..", "systemd", "tickercast.socket"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "tickercast.socket"), socket, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err = exec.CommandContext(t.Context(), analyze, "verify", "--man=no",
		filepath.Join(dir, "tickercast.socket")).CombinedOutput()
	if err != nil || strings.Contains(string(out), "tickercast.s") {
		t.Errorf("verify: %v: %s", err, out)
	}
	// The threshold is 2.0 of 10; 0.0 is a program that may do nothing. Version 252 says 1.2, and
	// later versions check more.
	out, err = exec.CommandContext(t.Context(), analyze, "security", "--offline=yes",
		"--threshold=20", unit).CombinedOutput()
	if err != nil {
		t.Errorf("security: %v: %s", err, out)
	}
}

// certificate makes a self-signed certificate for an hour.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1),
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	cert, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert},
		keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func (s *server) getTLS(t *testing.T, path, apiKey string) {
	t.Helper()
	selfSigned := &tls.Config{InsecureSkipVerify: true}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: selfSigned}}
	req, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+s.addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-API-Key", apiKey)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	client.CloseIdleConnections()
}
