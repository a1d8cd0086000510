// Package certs holds the certificate that a TLS listener shows, so that it can be replaced while
// connections go on.
//
// It fetches and renews nothing; who does that writes files, and whoever watches those calls
// [Holder.Set].
package certs

import (
	"crypto/tls"
	"fmt"
	"sync/atomic"
	"time"
)

// Holder holds one certificate. It is safe for concurrent use; set a first certificate before
// serving.
type Holder struct {
	cert atomic.Pointer[tls.Certificate]
}

// Set takes a certificate chain and its key, both PEM, for all handshakes from now on. On any
// error, also when the key is of another certificate or the certificate's time is over, what was
// there before stays.
func (h *Holder) Set(chain, key []byte, now time.Time) error {
	cert, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return err
	}
	if end := cert.Leaf.NotAfter; now.After(end) {
		return fmt.Errorf("the certificate of %q was valid until %s", cert.Leaf.Subject.CommonName,
			end.UTC().Format(time.RFC3339))
	}
	h.cert.Store(&cert)
	return nil
}

// Expires is when the certificate's time is over; zero when there is none yet.
func (h *Holder) Expires() time.Time {
	if c := h.cert.Load(); c != nil {
		return c.Leaf.NotAfter
	}
	return time.Time{}
}

// Config is the configuration of a server: TLS 1.2 and later, with the standard library's choice of
// ciphers.
func (h *Holder) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return h.cert.Load(),
				nil
		},
	}
}
