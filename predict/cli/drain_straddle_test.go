package cli_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/bench/load"
)

// A straddler has begun a request when its server is told to end. It sends the rest when the server
// accepts no connections any more.
type straddler struct {
	name   string
	conn   net.Conn
	in     *bufio.Reader
	rest   []byte
	status int // of the answer
}

func straddle(t *testing.T, addr string) (all []*straddler) {
	t.Helper()
	request := load.NewRequest("POST", "/predict", addr, []byte(`{"ticker":"AAPL","days_ahead":5}`))
	// known with its last byte, and net/http's then
	refused := load.NewRequest("POST", "/predict", addr,
		[]byte(`{"ticker":"AAPL","days_ahead":99}`))
	batch := load.NewRequest("POST", "/predict/batch", addr,
		[]byte(`{"requests":[{"ticker":"AAPL"},{"ticker":"MSFT"}]}`))
	for _, k := range []struct {
		name          string
		before, slow  []byte
		sentByTheTerm int // of slow
		status        int
	}{
		{"half a head", nil, request, 60, 200},
		{"half a second head", request, request, 70, 200},
		{"a little of one, after another route", load.NewRequest("GET", "/health", addr, nil),
			request, 15, 200},
		{"half a body", nil, request, len(request) - 9, 200},
		{"half a second body", request, request, len(request) - 9, 200},
		{"half a body that is refused", request, refused, len(refused) - 9, 422},
		{"half a batch", request, batch, len(batch) - 9, 200},
	} {
		c, err := net.DialTimeout("tcp", addr, 5*time.Second)
		require.NoError(t, err)
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(20 * time.Second))
		s := &straddler{name: k.name, conn: c, in: bufio.NewReader(c),
			rest: k.slow[k.sentByTheTerm:], status: 200}
		if k.before != nil {
			_, err := c.Write(k.before)
			require.NoError(t, err)
			require.False(t, s.answer(t).Close)
		}
		_, err = c.Write(k.slow[:k.sentByTheTerm])
		require.NoError(t, err)
		s.status = k.status
		all = append(all, s)
	}
	return all
}

// finish waits until the server has stopped to listen, and wants an answer that says so.
func (s *straddler) finish(t *testing.T, addr string) {
	t.Helper()
	eventually(t, 10*time.Second, func() bool {
		// At its end the system drops what asks for a connection. To ask again takes a second.
		c, err := net.DialTimeout("tcp", addr, 100*time.Millisecond)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	_, err := s.conn.Write(s.rest)
	require.NoError(t, err, s.name)
	require.True(t, s.answer(t).Close, s.name)
	_, err = s.in.ReadByte()
	require.ErrorIs(t, err, io.EOF, s.name)
	s.conn.Close()
}

func (s *straddler) answer(t *testing.T) *http.Response {
	t.Helper()
	resp, err := http.ReadResponse(s.in, nil)
	require.NoError(t, err, s.name)
	status, body := readAll(t, resp)
	require.Equal(t, s.status, status, "%s: %s", s.name, body)
	return resp
}

// TestStraddleTLS is one of these over TLS, where the server knows another connection than the one
// that it reads from.
func TestStraddleTLS(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	chain, key := newCertificate(t, "straddled")
	replaceFile(t, certFile, chain)
	replaceFile(t, keyFile, key)
	p := start(t, "-tls-cert", certFile, "-tls-key", keyFile, "-drain-delay", "0s")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(chain)
	c, err := tls.Dial("tcp", p.addr, &tls.Config{RootCAs: roots})
	require.NoError(t, err)
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	request := load.NewRequest("POST", "/predict", p.addr, []byte(aForecast))
	s := &straddler{name: "over TLS", conn: c, in: bufio.NewReader(c), rest: request[70:],
		status: 200}
	c.Write(request)
	require.False(t, s.answer(t).Close)
	c.Write(request[:70])
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	s.finish(t, p.addr)
	require.Equal(t, 0, p.waitExit(t, 10*time.Second), p.logged())
}
