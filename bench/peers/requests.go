//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"tickercast/bench"
)

// newClient returns a client for the protocol of a road.
func newClient(road bench.Road) *http.Client {
	p := new(http.Protocols)
	p.SetHTTP1(road.Streams == 0)
	p.SetHTTP2(road.Streams > 0)
	return &http.Client{Transport: &http.Transport{Protocols: p,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} // they are our own servers
}

// requests returns all requests of the road, as they stand on the wire.
func (s *setup) requests(addr string) (all [][]byte) {
	next := s.road.Workload(addr)(0)
	for first := bytes.Clone(next()); len(all) == 0 || !bytes.Equal(all[0], first); {
		all, first = append(all, first), bytes.Clone(next())
	}
	return all
}

// send sends a request of the road, whose answer must be a 200.
func (s *setup) send(ctx context.Context, addr string, request []byte) ([]byte, error) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
	if err != nil {
		return nil, err
	}
	r.URL.Scheme, r.URL.Host, r.RequestURI = s.scheme(), addr, ""
	return s.do(r.WithContext(ctx), 200)
}

// ask sends a body to POST /predict. The answer must have one of the statuses.
func (s *setup) ask(ctx context.Context, addr string, body []byte, statuses ...int) ([]byte,
	error) {
	r, err := http.NewRequestWithContext(ctx, "POST", s.scheme()+"://"+addr+"/predict",
		bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	return s.do(r, statuses...)
}

func (s *setup) do(r *http.Request, statuses ...int) ([]byte, error) {
	resp, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && !slices.Contains(statuses, resp.StatusCode) {
		err = fmt.Errorf("%s %s is answered with %d %.200s, want %d", r.Method, r.URL,
			resp.StatusCode, answer, statuses[0])
	}
	return answer, err
}

// writeCertificate writes a certificate for this machine that its own key has signed.
func writeCertificate(cert, key string) error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1),
		Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der},
		key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}
