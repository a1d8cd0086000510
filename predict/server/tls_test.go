package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// newPair makes a certificate for 127.0.0.1 and its key, as PEM.
func newPair(t *testing.T, name string) (chain, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	der8, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der8})
}

// clientFor trusts the certificates and speaks the protocols that set allows; each request has a
// connection of its own.
func clientFor(set func(*http.Protocols), chains ...[]byte) *http.Client {
	roots := x509.NewCertPool()
	for _, c := range chains {
		roots.AppendCertsFromPEM(c)
	}
	protocols := new(http.Protocols)
	set(protocols)
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots}, Protocols: protocols, DisableKeepAlives: true,
	}}
}

func http1(p *http.Protocols) { p.SetHTTP1(true) }
func http2(p *http.Protocols) { p.SetHTTP2(true) }
func h2c(p *http.Protocols)   { p.SetUnencryptedHTTP2(true) }

// TestHealthcheckOverTLS: the variable that makes the server speak TLS makes the check do so.
func TestHealthcheckOverTLS(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	chain, key := newPair(t, "elsewhere.example")
	writePrices(t, certFile, chain)
	writePrices(t, keyFile, key)
	p := start(t, "-tls-cert", certFile, "-tls-key", keyFile)
	status, _, stderr := runCommand(t, map[string]string{"TICKERCAST_ADDR": p.addr,
		"TICKERCAST_TLS_CERT": certFile}, "healthcheck")
	require.Zero(t, status, stderr)
	status, _, stderr = runCommand(t, nil, "healthcheck", "-addr", p.addr)
	require.Equal(t, 1, status, "asked without TLS: %s", stderr)
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	oldChain, oldKey := newPair(t, "old")
	newChain, newKey := newPair(t, "new")
	writePrices(t, certFile, oldChain)
	writePrices(t, keyFile, oldKey)
	p := start(t, "-tls-cert", certFile, "-tls-key", keyFile, "-watch", "20ms")
	url := "https://" + p.addr + "/predict"
	predictBy := func(c *http.Client) *http.Response {
		resp, err := c.Post(url, "application/json", strings.NewReader(aForecast))
		require.NoError(t, err)
		status, body := readAll(t, resp)
		require.Equal(t, 200, status, body)
		return resp
	}
	shown := func(resp *http.Response) string {
		return resp.TLS.PeerCertificates[0].Subject.CommonName
	}
	resp := predictBy(clientFor(http1, oldChain))
	require.Equal(t, 1, resp.ProtoMajor)
	require.Equal(t, "old", shown(resp))
	require.Equal(t, 2, predictBy(clientFor(http2, oldChain)).ProtoMajor)
	resp, err := http.Get("http://" + p.addr + "/health")
	require.NoError(t, err)
	status, _ := readAll(t, resp)
	require.Equal(t, 400, status, "plain HTTP is told so")
	_, text := get(t, "http://"+p.admin+"/metrics")
	require.Contains(t, text, "\ntls_certificate_expiry_timestamp_seconds ")

	// Half a renewal is refused, and what was shown before goes on being shown.
	writePrices(t, certFile, newChain)
	eventually(t, 5*time.Second,
		func() bool { return strings.Contains(p.logged(), "private key does not match") })
	require.Equal(t, "old", shown(predictBy(clientFor(http2, oldChain, newChain))))
	writePrices(t, keyFile, newKey)
	eventually(t, 5*time.Second,
		func() bool { return shown(predictBy(clientFor(http2, oldChain, newChain))) == "new" })
}

func TestHTTP2WithoutTLS(t *testing.T) {
	p := start(t, "-h2c")
	resp, err := clientFor(h2c).Post("http://"+p.addr+"/predict", "application/json",
		strings.NewReader(aForecast))
	require.NoError(t, err)
	status, body := readAll(t, resp)
	require.Equal(t, 200, status, body)
	require.Equal(t, 2, resp.ProtoMajor)
	status, _ = p.post(t, "/predict", aForecast)
	require.Equal(t, 200, status, "HTTP/1 is spoken too")

	// The server says how many streams it allows in its first frame, SETTINGS.
	c, err := net.Dial("tcp", p.addr)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(5*time.Second)))
	_, err = io.WriteString(c,
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+"\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	require.NoError(t, err)
	frame := make([]byte, 9)
	_, err = io.ReadFull(c, frame)
	require.NoError(t, err)
	require.Equal(t, byte(4), frame[3])
	settings := make([]byte, int(frame[0])<<16|int(frame[1])<<8|int(frame[2]))
	_, err = io.ReadFull(c, settings)
	require.NoError(t, err)
	streams := uint32(0)
	for ; len(settings) >= 6; settings = settings[6:] {
		if binary.BigEndian.Uint16(settings) == 3 {
			streams = binary.BigEndian.Uint32(settings[2:])
		}
	}
	require.Equal(t, uint32(maxStreams), streams)

	p = start(t)
	_, err = clientFor(h2c).Post("http://"+p.addr+"/predict", "application/json",
		strings.NewReader(aForecast))
	require.Error(t, err, "nobody asked for HTTP/2")
}

func TestConnectionCap(t *testing.T) {
	for _, lane := range []string{"-fastlane=true", "-fastlane=false"} {
		p := start(t, "-max-conns", "2", lane)
		dial := func() net.Conn {
			c, err := net.Dial("tcp", p.addr)
			require.NoError(t, err)
			require.NoError(t, c.SetDeadline(time.Now().Add(5*time.Second)))
			return c
		}
		first, second := dial(), dial()
		for range 20 { // over and over, so that nothing is lost on the way
			c := dial()
			_, err := io.ReadAll(c)
			require.NoError(t, err, "closed without a word")
			c.Close()
		}
		status, text := get(t, "http://"+p.admin+"/metrics")
		require.Equal(t, 200, status, "the admin address is outside of the cap")
		require.Contains(t, text, "\nconnections_rejected_total 20\n")
		require.Contains(t, text, "\nconnections_open 2\n")
		first.Close()
		eventually(t, 5*time.Second, func() bool {
			c := dial()
			defer c.Close()
			_, err := io.WriteString(c,
				"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			require.NoError(t, err)
			answer, _ := io.ReadAll(c)
			return strings.Contains(string(answer), "200 OK")
		})
		second.Close()
	}
}
