package server_test

import (
	"context"
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
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict/server"
)

// newCertificate makes a certificate for the address of a network in memory and its key, as PEM.
func newCertificate(t testing.TB, name string) (chain, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		IPAddresses: []net.IP{net.IPv4(192, 0, 2, 1)},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	der8, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", der8)
}

func trusting(chains ...string) *tls.Config {
	roots := x509.NewCertPool()
	for _, c := range chains {
		roots.AppendCertsFromPEM([]byte(c))
	}
	return &tls.Config{RootCAs: roots}
}

// speaking makes a client of a port that speaks the protocols that set allows. Each request has a
// connection of its own.
func (p port) speaking(set func(*http.Protocols), config *tls.Config) *http.Client {
	protocols := new(http.Protocols)
	set(protocols)
	return &http.Client{Timeout: patience, Transport: &http.Transport{
		DialContext: func(_ context.Context, _, addr string) (net.Conn, error) {
			return p.network.dial(addr)
		},
		TLSClientConfig: config, Protocols: protocols, DisableKeepAlives: true,
	}}
}

func http1(p *http.Protocols) { p.SetHTTP1(true) }
func http2(p *http.Protocols) { p.SetHTTP2(true) }
func h2c(p *http.Protocols)   { p.SetUnencryptedHTTP2(true) }

func TestTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		oldChain, oldKey := newCertificate(t, "old")
		newChain, newKey := newCertificate(t, "new")
		replaceFile(t, certFile, oldChain)
		replaceFile(t, keyFile, oldKey)
		r := start(t, inMemory(), func(c *server.Config) {
			c.TLSCert, c.TLSKey = certFile, keyFile
		})
		require.True(t, r.FastLane)
		ask := func(set func(*http.Protocols), config *tls.Config) *http.Response {
			t.Helper()
			resp, err := r.public.speaking(set, config).Post("https://"+r.Addr+"/predict",
				"application/json", strings.NewReader(aForecast))
			require.NoError(t, err)
			status, body := readAll(t, resp)
			require.Equal(t, 200, status, body)
			return resp
		}
		shown := func(resp *http.Response) string {
			return resp.TLS.PeerCertificates[0].Subject.CommonName
		}
		resp := ask(http1, trusting(oldChain))
		require.Equal(t, 1, resp.ProtoMajor)
		require.Equal(t, "old", shown(resp))
		require.Equal(t, 2, ask(http2, trusting(oldChain)).ProtoMajor)
		status, _ := r.public.get(t, "/health")
		require.Equal(t, 400, status, "plain HTTP is told so")
		require.NotEmpty(t, r.metric("tls_certificate_expiry_timestamp_seconds"))

		// A client that could speak old versions only is refused, and a current one is not brought
		// down to them.
		config := trusting(oldChain)
		config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		err := tls.Client(r.public.connect(t), withName(config)).HandshakeContext(t.Context())
		require.ErrorContains(t, err, "protocol version not supported")
		config.MaxVersion = tls.VersionTLS13
		require.EqualValues(t, tls.VersionTLS13, ask(http1, config).TLS.Version)

		// Half a renewal is refused, and the old certificate is shown.
		both := trusting(oldChain, newChain)
		time.Sleep(time.Second)
		replaceFile(t, certFile, newChain)
		time.Sleep(watched)
		require.Contains(t, r.log.String(), "private key does not match")
		require.Equal(t, "old", shown(ask(http2, both)))
		replaceFile(t, keyFile, newKey)
		time.Sleep(watched)
		require.Equal(t, "new", shown(ask(http2, both)))
	})
}

// withName adds the name that a http.Transport would.
func withName(config *tls.Config) *tls.Config {
	config = config.Clone()
	config.ServerName = "192.0.2.1"
	return config
}

func TestHTTP2WithoutTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), func(c *server.Config) { c.H2C = true })
		resp, err := r.public.speaking(h2c, nil).Post("http://"+r.Addr+"/predict",
			"application/json", strings.NewReader(aForecast))
		require.NoError(t, err)
		status, body := readAll(t, resp)
		require.Equal(t, 200, status, body)
		require.Equal(t, 2, resp.ProtoMajor)
		status, _ = r.public.post(t, "/predict", aForecast)
		require.Equal(t, 200, status, "HTTP/1 is spoken too")

		// The server says how many streams it allows in its first frame, SETTINGS.
		c := r.public.connect(t)
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
		require.EqualValues(t, 100, streams)
		c.Close()
	})
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), nil)
		_, err := r.public.speaking(h2c, nil).Post("http://"+r.Addr+"/predict",
			"application/json", strings.NewReader(aForecast))
		require.Error(t, err, "HTTP/2 is off by default")
	})
}
