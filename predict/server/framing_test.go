package server_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict/server"
)

// TestRefusedUnasked has clients ask whether to send a body, for requests that are refused without
// it: the connection ends at once. A client that sends the body all the same gets the answer too.
func TestRefusedUnasked(t *testing.T) {
	const asks = "Expect: 100-continue\r\n"
	chunk := "4000\r\n" + strings.Repeat(" ", 0x4000) + "\r\n"
	onEveryRoad(t, func(t *testing.T, road road) {
		r := start(t, road.on(inMemory()), nil)
		for _, tt := range []struct {
			name, head, body string
			status           int
		}{
			{"too long", line + host + isJSON + asks + "Content-Length: 100000\r\n\r\n",
				strings.Repeat(" ", 100_000), 413},
			{"far too long", line + host + isJSON + asks + "Content-Length: 1000000\r\n\r\n",
				strings.Repeat(" ", 300_000), 413},
			{"no route", "POST /nowhere HTTP/1.1\r\n" + host + asks + json17 + "\r\n", aForecast,
				404},
			{"no route, chunks", "POST /nowhere HTTP/1.1\r\n" + host + asks + chunked + "\r\n",
				strings.Repeat(chunk, 5) + "0\r\n\r\n", 404},
			{"no method", "PUT /predict HTTP/1.1\r\n" + host + "expect: 100-Continue\r\n" + json17 +
				"\r\n", aForecast, 405},
		} {
			for _, body := range []string{"", tt.body} {
				c := r.public.connect(t)
				began := time.Now()
				go io.WriteString(c, tt.head+body)
				answers := bufio.NewReader(c)
				resp, err := http.ReadResponse(answers, nil)
				require.NoError(t, err, tt.name)
				require.Equal(t, tt.status, resp.StatusCode, tt.name)
				require.True(t, resp.Close, tt.name)
				_, answer := readAll(t, resp)
				require.Contains(t, answer, `{"detail":"`, tt.name)
				rest, err := io.ReadAll(answers)
				require.NoError(t, err, tt.name)
				require.Empty(t, rest, tt.name)
				require.Zero(t, time.Since(began), "%s, body of %d bytes", tt.name, len(body))
				c.Close()
			}
		}
		status, _ := r.public.get(t, "/livez")
		require.Equal(t, 200, status)
	})
}

// TestOldCoding splits a request of HTTP/1.0 with Transfer-Encoding at each byte. In a body, or in
// another header, the word changes nothing.
func TestOldCoding(t *testing.T) {
	head := strings.Replace(line, "1.1", "1.0", 1) + host + isJSON
	onEveryRoad(t, func(t *testing.T, road road) {
		r := start(t, road.on(inMemory()), nil)
		ask := func(request string, split int) string {
			c := r.public.connect(t)
			defer c.Close()
			io.WriteString(c, request[:split])
			synctest.Wait()
			io.WriteString(c, request[split:])
			answer, err := io.ReadAll(c)
			require.NoError(t, err)
			return string(answer)
		}
		coded := head + "transfer-Encoding: chunked\r\nContent-Length: 17\r\n\r\n" + aForecast
		for split := range len(coded) {
			answer := ask(coded, split)
			require.Contains(t, answer, "400 Bad Request\r\n", "split at %d", split)
			require.Contains(t, answer, "\r\n\r\n"+`{"detail":"Bad Request"}`)
		}
		for _, more := range []string{"", "X-Transfer-Encoding: chunked\r\n", "A: transfer-encoding\r\n",
			"Transfer.Encoding: chunked\r\n", "Transfer-Encodin: chunked\r\n"} {
			answer := ask(head+more+"Content-Length: 17\r\n\r\n"+aForecast, 20)
			require.Contains(t, answer, "200 OK\r\n", more)
		}
	})
}

// TestCiphers offers each cipher of TLS 1.2 by itself: only those that authenticate are taken.
func TestCiphers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		chain, key := newCertificate(t, "this")
		replaceFile(t, certFile, chain)
		replaceFile(t, keyFile, key)
		r := start(t, inMemory(), func(c *server.Config) {
			c.TLSCert, c.TLSKey = certFile, keyFile
		})
		taken := 0
		for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
			if suite.SupportedVersions[0] > tls.VersionTLS12 {
				continue
			}
			config := withName(trusting(chain))
			config.MaxVersion, config.CipherSuites = tls.VersionTLS12, []uint16{suite.ID}
			c := r.public.connect(t)
			err := tls.Client(c, config).HandshakeContext(t.Context())
			c.Close()
			authenticates := strings.Contains(suite.Name, "GCM") ||
				strings.Contains(suite.Name, "POLY1305")
			fits := strings.HasPrefix(suite.Name, "TLS_ECDHE_ECDSA_") // the certificate is of that kind
			require.Equal(t, authenticates && fits, err == nil, fmt.Sprint(suite.Name, err))
			if err == nil {
				taken++
			}
		}
		require.Equal(t, 3, taken)
	})
}
