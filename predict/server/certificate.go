package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// A certificate is what a TLS listener shows. It can be replaced while connections go on.
type certificate struct {
	current atomic.Pointer[tls.Certificate]
}

// set takes a certificate chain and its key, both PEM, for all handshakes from now on. On an error,
// such as a key of another certificate or a certificate that is not valid now, what was there
// stays.
func (c *certificate) set(chain, key []byte, now time.Time) error {
	cert, err := tls.X509KeyPair(chain, key)
	if err != nil {
		// It lists what the file has instead, which may be anything.
		text, _, _ := strings.Cut(err.Error(), " after skipping")
		return errors.New(text)
	}
	name, from, to := cert.Leaf.Subject.CommonName, cert.Leaf.NotBefore, cert.Leaf.NotAfter
	switch {
	case now.After(to):
		return fmt.Errorf("the certificate of %q was valid until %s", name,
			to.UTC().Format(time.RFC3339))
	case now.Before(from):
		return fmt.Errorf("the certificate of %q is not valid before %s", name,
			from.UTC().Format(time.RFC3339))
	}
	c.current.Store(&cert)
	return nil
}

// expires returns when the certificate expires, and the zero time before there is one.
func (c *certificate) expires() time.Time {
	if cert := c.current.Load(); cert != nil {
		return cert.Leaf.NotAfter
	}
	return time.Time{}
}

// config is that of a server: TLS 1.2 and later, with ciphers that also authenticate (AEAD). Of TLS
// 1.2, the standard library would also take two in CBC mode with SHA-1. An answer is one record, so
// that one system call sends it.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{ // of TLS 1.2; those of TLS 1.3 are all AEAD
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
			tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		NextProtos:                  []string{"http/1.1"},
		DynamicRecordSizingDisabled: true,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.current.Load(), nil
		},
	}
}
