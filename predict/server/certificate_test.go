package server

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"
)

// pair makes a certificate of a name and its key, as PEM.
func pair(t *testing.T, name string, until time.Time) (chain, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: until.AddDate(-1, 0, 0), NotAfter: until,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	der8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der8})
}

// shown makes a handshake of at most a version and returns the name on the certificate.
func shown(t *testing.T, c *certificate, version uint16) (string, error) {
	t.Helper()
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()
	go tls.Server(server, c.config()).HandshakeContext(t.Context())
	conn := tls.Client(client, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10,
		MaxVersion: version, ServerName: "any.example"})
	if err := conn.HandshakeContext(t.Context()); err != nil {
		return "", err
	}
	return conn.ConnectionState().PeerCertificates[0].Subject.CommonName, nil
}

func TestReplaceCertificate(t *testing.T) {
	now := time.Now()
	soon := now.AddDate(0, 1, 0).Truncate(time.Second)
	var c certificate
	if !c.expires().IsZero() {
		t.Error("a certificate that is not there expires")
	}
	aChain, aKey := pair(t, "a.example", soon)
	if err := c.set(aChain, aKey, now); err != nil {
		t.Fatal(err)
	}
	if !c.expires().Equal(soon) {
		t.Errorf("expires: got %v, want %v", c.expires(), soon)
	}
	bChain, bKey := pair(t, "b.example", soon)
	oldChain, oldKey := pair(t, "old.example", now.Add(-time.Second))
	youngChain, youngKey := pair(t, "young.example", now.AddDate(1, 0, 1))
	other := []byte("-----BEGIN s3cret-----\n-----END s3cret-----\n")
	for name, bad := range map[string]struct {
		chain, key []byte
		want       string
	}{
		"keys mixed up":  {bChain, aKey, "private key does not match"},
		"no certificate": {bKey, bKey, "certificate"},
		"no key":         {bChain, nil, "key"},
		"cut":            {bChain[:len(bChain)/2], bKey, "certificate"},
		"noise":          {bytes.Repeat([]byte("noise"), 100), bKey, "certificate"},
		"over":           {oldChain, oldKey, `"old.example" was valid until`},
		"not yet":        {youngChain, youngKey, `"young.example" is not valid before`},
		"another file":   {other, bKey, `failed to find "CERTIFICATE" PEM block`},
		"another key":    {bChain, other, `failed to find PEM block with type ending in`},
	} {
		if err := c.set(bad.chain, bad.key, now); err == nil ||
			!strings.Contains(err.Error(), bad.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: got %v, want an error with %q", name, err, bad.want)
		}
		if got, err := shown(t, &c, tls.VersionTLS13); err != nil || got != "a.example" {
			t.Fatalf("%s: shows %q, %v; want what was there before", name, got, err)
		}
	}
	if err := c.set(bChain, bKey, now); err != nil {
		t.Fatal(err)
	}
	if got, err := shown(t, &c, tls.VersionTLS12); err != nil || got != "b.example" {
		t.Errorf("shows %q, %v; want the new one", got, err)
	}
}

func TestOldVersionsAreRefused(t *testing.T) {
	var c certificate
	chain, key := pair(t, "a.example", time.Now().AddDate(0, 1, 0))
	if err := c.set(chain, key, time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, old := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		_, err := shown(t, &c, old)
		const want = "remote error: tls: protocol version not supported"
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", tls.VersionName(old), err, want)
		}
	}
}
