package cli_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/bench/load"
)

// TestDrainResetsNoOne ends servers while clients open a connection for each request, up to the
// last moment. A client may be refused when the server accepts no more. One that was let in gets
// its answer, also on a busy machine.
//
// TICKERCAST_DRAINS=100 ends so many servers in each mode.
func TestDrainResetsNoOne(t *testing.T) {
	if testing.Short() {
		t.Skip("ends processes under load")
	}
	n, _ := rounds(t, "TICKERCAST_DRAINS", 2)
	chain, private := newCertificate(t, "localhost")
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(cert, chain, 0o600))
	require.NoError(t, os.WriteFile(key, private, 0o600))
	for name, flags := range map[string][]string{
		"fast lane": nil,
		"net/http":  {"-fastlane=false"},
		"TLS":       {"-tls-cert", cert, "-tls-key", key},
	} {
		t.Run(name, func(t *testing.T) {
			answers := 0
			for i := range n {
				// A busy machine may take longer for a handshake than clients usually get.
				p := start(t, append([]string{"-drain-delay", "50ms", "-grace", "1m",
					"-read-header-timeout", "1m", "-read-timeout", "1m"}, flags...)...)
				answers += endUnderFreshClients(t, p, name == "TLS", i%2 == 1)
			}
			t.Logf("%d SIGTERMs, %d requests answered, none lost", n, answers)
		})
	}
}

const freshClients = 64

// endUnderFreshClients ends p and returns the number of answers that clients got until they were
// refused.
func endUnderFreshClients(t *testing.T, p *process, useTLS, busy bool) int {
	var stop atomic.Bool
	defer stop.Store(true)
	if busy {
		for range 4 * runtime.NumCPU() {
			go func() {
				for !stop.Load() {
				}
			}()
		}
	}
	var answers, faults atomic.Int64
	var clients sync.WaitGroup
	for range freshClients {
		clients.Go(func() {
			for {
				refused, err := askOnce(p.addr, useTLS)
				switch {
				case refused:
					return
				case err == nil:
					answers.Add(1)
				default:
					faults.Add(1)
					t.Errorf("after %d answers: %v", answers.Load(), err)
					return
				}
			}
		})
	}
	for answers.Load() < 10*freshClients && faults.Load() == 0 {
		runtime.Gosched()
	}
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	clients.Wait()
	require.Equal(t, 0, p.waitExit(t, time.Minute), p.logged())
	return int(answers.Load())
}

// askOnce asks for a forecast over a connection of its own. refused reports whether it got none.
func askOnce(addr string, useTLS bool) (refused bool, err error) {
	c, err := net.DialTimeout("tcp", addr, time.Minute)
	if err != nil {
		return errors.Is(err, syscall.ECONNREFUSED), fmt.Errorf("dialling: %w", err)
	}
	defer c.Close()
	if useTLS {
		c = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	}
	c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := c.Write(load.NewRequest("POST", "/predict", "x",
		[]byte(`{"ticker":"AAPL"}`))); err != nil {
		return false, fmt.Errorf("asking: %w", err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return false, fmt.Errorf("reading the answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("got status %d", resp.StatusCode)
	}
	return false, err
}
