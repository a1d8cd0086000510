package cli_test

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/model/calendar"
)

const (
	aForecast = `{"ticker":"AAPL"}`
	requestID = "X-Request-Id"
)

// ask sends a request with headers, each "Name: value", and returns the answer with its body read.
func ask(t *testing.T, method, url, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	_, text := readAll(t, resp)
	return resp, text
}

// pricesCSV are 120 closes of ACME near a level.
func pricesCSV(level float64) []byte {
	var b strings.Builder
	b.WriteString("date,ticker,close\n")
	day := calendar.Of(2024, 1, 2)
	for i := range 120 {
		fmt.Fprintf(&b, "%s,ACME,%.4f\n", day, level*(1+0.01*math.Sin(float64(i*i))))
		day = calendar.Default().Next(day, 1)
	}
	return []byte(b.String())
}

// replaceFile puts data at path at once, as an operator's mv does.
func replaceFile(t testing.TB, path string, data []byte) {
	t.Helper()
	require.NoError(t, moveInto(path, data))
}

func moveInto(path string, data []byte) error {
	next := path + ".next"
	if err := os.WriteFile(next, data, 0o644); err != nil {
		return err
	}
	return os.Rename(next, path)
}

func gzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(data)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

// newCertificate makes a certificate for 127.0.0.1 and its key, as PEM.
func newCertificate(t *testing.T, name string) (chain, key []byte) {
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

// writeLongPrices writes a file that takes a second or more to read.
func writeLongPrices(t *testing.T, path string) {
	t.Helper()
	replaceFile(t, path, panelCSV(100, 2000, numbered(400)))
}
