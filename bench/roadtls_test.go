package bench

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"tickercast/bench/load"
	"tickercast/predict/server"
)

// certificate writes a certificate that its own key has signed, and the key.
func certificate(tb testing.TB) (cert, key string) {
	tb.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		tb.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		tb.Fatal(err)
	}
	cert, key = filepath.Join(tb.TempDir(), "cert.pem"), filepath.Join(tb.TempDir(), "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der},
		key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return cert, key
}

const (
	tlsBlock = 2000 // requests that are timed together, with few handshakes beside them
	tlsConns = 2
)

// besideTLS is besideReference for a road with TLS, over loopback.
func besideTLS(b *testing.B, road Road) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	cert, key := certificate(b)
	w := startWhole(b, func(c *server.Config) {
		c.Listen, c.Addr = server.Default().Listen, "127.0.0.1:0"
		c.TLSCert, c.TLSKey = cert, key
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	reference := &http.Server{Handler: Reference(cannedBytes(road))}
	go reference.ServeTLS(l, cert, key)
	b.Cleanup(func() { reference.Close() })

	sendTLS(b, road, w.Info.Addr, len(HitBodies()))
	var own, other []float64
	b.ResetTimer()
	for left := b.N; left > 0; left -= tlsBlock {
		n := min(left, tlsBlock)
		own = append(own, sendTLS(b, road, w.Info.Addr, n))
		b.StopTimer()
		other = append(other, sendTLS(b, road, l.Addr().String(), n))
		b.StartTimer()
	}
	b.StopTimer()
	b.ReportMetric(lowerQuartile(own)/lowerQuartile(other), "x-reference")
}

// sendTLS sends n requests and returns the CPU time of this process for each.
func sendTLS(b *testing.B, road Road, addr string, n int) float64 {
	b.Helper()
	protocol := "http/1.1"
	if road.Streams > 0 {
		protocol = "h2"
	}
	d := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{protocol}}}
	began := load.ProcessCPU()
	r, err := load.Run(b.Context(), load.Config{Addr: addr, Requests: road.Workload(addr),
		Conns: tlsConns, Streams: road.Streams, Count: int64(n), Duration: time.Hour,
		Dial: func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", addr) }})
	if err != nil {
		b.Fatal(err)
	}
	if r.Failed() > 0 || r.Answers != int64(n) {
		b.Fatal(r)
	}
	return (load.ProcessCPU() - began).Seconds() / float64(n)
}
