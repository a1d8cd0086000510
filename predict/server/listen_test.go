//go:build unix

package server_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"tickercast/model/calibrate"
	"tickercast/model/market"
	"tickercast/predict/server"
)

// onSocket is a network whose public port is a unix socket. Clients call it localhost.
func onSocket(path string) network {
	n := loopback()
	n.public = "unix:" + path
	n.dial = func(addr string) (net.Conn, error) {
		if strings.HasPrefix(addr, "localhost") {
			return net.Dial("unix", path)
		}
		return net.Dial("tcp", addr)
	}
	return n
}

func startOnSocket(t *testing.T, path string, change func(*server.Config)) *running {
	t.Helper()
	r := start(t, onSocket(path), change)
	require.Equal(t, "unix:"+path, r.public.addr)
	r.public.addr = "localhost"
	return r
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	r := startOnSocket(t, path, nil)
	file, err := os.Lstat(path)
	require.NoError(t, err)
	require.Equal(t, fs.ModeSocket|0o660, file.Mode())

	status, body := r.public.post(t, "/predict", `{"ticker":"AAPL"}`)
	require.Equal(t, http.StatusOK, status, body)
	require.Equal(t, "0", r.metric("fastlane_handed_over_total"), "the fast lane has answered")
	status, body = r.public.get(t, "/tickers")
	require.Equal(t, http.StatusOK, status, body)
	require.Equal(t, "1", r.metric("fastlane_handed_over_total"))

	second := launch(t, onSocket(path), nil)
	require.ErrorContains(t, second.end(), "another server listens on")
	status, _ = r.public.get(t, "/health")
	require.Equal(t, http.StatusOK, status, "the first server still listens")

	r.stop <- os.Interrupt
	require.NoError(t, r.end())
	require.NoFileExists(t, path)
}

// TestUnixSocketEnds has clients connect until they are refused: whom the server lets in gets an
// answer.
func TestUnixSocketEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	r := startOnSocket(t, path, nil)
	var answers atomic.Int64
	var clients sync.WaitGroup
	for range 16 {
		clients.Go(func() {
			for {
				c, err := net.Dial("unix", path)
				if err != nil {
					return
				}
				c.Write([]byte(predictWith("Connection: close\r\n", aForecast)))
				b, err := io.ReadAll(c)
				c.Close()
				if err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 200 OK") {
					t.Errorf("after %d answers: %q, %v", answers.Load(), b, err)
					return
				}
				answers.Add(1)
			}
		})
	}
	for answers.Load() < 500 && !t.Failed() {
		runtime.Gosched()
	}
	r.stop <- os.Interrupt
	require.NoError(t, r.end())
	clients.Wait()
}

func TestUnixSocketMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	startOnSocket(t, path, func(c *server.Config) { c.SocketMode = 0o606 })
	file, err := os.Lstat(path)
	require.NoError(t, err)
	require.Equal(t, fs.ModeSocket|0o606, file.Mode())
}

// TestStaleSocket starts where a server was that has been killed.
func TestStaleSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	require.NoError(t, err)
	ln.SetUnlinkOnClose(false)
	ln.Close()
	require.FileExists(t, path)
	r := startOnSocket(t, path, nil)
	status, _ := r.public.get(t, "/health")
	require.Equal(t, http.StatusOK, status)

	// A server that ends does not remove the socket of its successor.
	next := path + ".next"
	ln, err = net.ListenUnix("unix", &net.UnixAddr{Name: next, Net: "unix"})
	require.NoError(t, err)
	defer ln.Close()
	require.NoError(t, os.Rename(next, path))
	r.stop <- os.Interrupt
	require.NoError(t, r.end())
	require.FileExists(t, path)
}

func TestSocketInPlaceOfFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "precious")
	require.NoError(t, os.WriteFile(path, []byte("data"), 0o600))
	require.ErrorContains(t, launch(t, onSocket(path), nil).end(), "is no socket")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "data", string(data))
	missing := filepath.Join(t.TempDir(), "no", "folder")
	require.ErrorContains(t, launch(t, onSocket(missing), nil).end(), missing)
}

func TestSocketWithoutFile(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has these")
	}
	r := startOnSocket(t, fmt.Sprintf("@tickercast-test-%d", os.Getpid()), nil)
	status, _ := r.public.get(t, "/health")
	require.Equal(t, http.StatusOK, status)
}

// A holder holds a listening socket for servers that come and go.
type holder struct {
	net.Listener
	file *os.File
}

func hold(t *testing.T) *holder {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	file, err := ln.(*net.TCPListener).File()
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close(); file.Close() })
	return &holder{ln, file}
}

// network has a new descriptor of the socket, which a server takes over.
func (h *holder) network(t *testing.T) network {
	t.Helper()
	fd, err := syscall.Dup(int(h.file.Fd()))
	require.NoError(t, err)
	n := loopback()
	n.public = fmt.Sprintf("fd:%d", fd)
	return n
}

func TestInheritedSocket(t *testing.T) {
	h := hold(t)
	for range 3 {
		waiting, err := net.Dial("tcp", h.Addr().String()) // no one accepts yet
		require.NoError(t, err)
		r := start(t, h.network(t), nil)
		require.Equal(t, h.Addr().String(), r.public.addr)
		status, body := r.public.post(t, "/predict", `{"ticker":"AAPL"}`)
		require.Equal(t, http.StatusOK, status, body)
		r.client.CloseIdleConnections()
		waiting.Close()
		r.stop <- os.Interrupt
		require.NoError(t, r.end())
	}
}

// TestInheritedSocketWaits has a client ask a server that loads. Without an inherited socket it
// would get a 503.
func TestInheritedSocketWaits(t *testing.T) {
	h := hold(t)
	release := make(chan struct{})
	r := launch(t, h.network(t), func(c *server.Config) {
		load := c.Load
		c.Load = func(ctx context.Context) (*calibrate.Yearly, *market.Market, error) {
			<-release
			return load(ctx)
		}
	})
	c, err := net.Dial("tcp", h.Addr().String())
	require.NoError(t, err)
	_, err = c.Write([]byte("GET /predict/AAPL HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
	require.NoError(t, err)
	close(release)
	r.awaitReady()
	answer := make([]byte, 15)
	_, err = c.Read(answer)
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 200 OK", string(answer))
	c.Close()
}

func TestNoSocketToInherit(t *testing.T) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	defer syscall.Close(pair[1])
	defer syscall.Close(pair[0])
	file, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer file.Close()
	for addr, want := range map[string]string{
		"fd:100000":                   "started without descriptor 100000",
		fmt.Sprintf("fd:%d", pair[0]): "does not listen",
		"fd:":                         "number of a descriptor",
		"fd:-1":                       "number of a descriptor",
		"fd:three":                    "number of a descriptor",
	} {
		n := loopback()
		n.public = addr
		require.ErrorContains(t, launch(t, n, nil).end(), want, addr)
	}
	n := loopback()
	n.public = fmt.Sprintf("fd:%d", file.Fd())
	require.Error(t, launch(t, n, nil).end())
	_, err = file.Stat()
	require.NoError(t, err, "a descriptor of something else stays open")
}
