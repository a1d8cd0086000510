//go:build unix

package cli_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSignalsDuringStart ends servers that are reading a long file: without a drain, since they
// were never ready.
func TestSignalsDuringStart(t *testing.T) {
	if testing.Short() {
		t.Skip("many processes")
	}
	path := filepath.Join(t.TempDir(), "prices.csv")
	writeLongPrices(t, path)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		p := startUnready(t, "-prices", path)
		time.Sleep(200 * time.Millisecond) // it has caught signals long before
		began := time.Now()
		require.NoError(t, p.Process.Signal(sig))
		require.Equal(t, 0, p.waitExit(t, 5*time.Second))
		// A drain would take the five seconds of its delay.
		require.Less(t, time.Since(began), 3*time.Second, "%v", sig)
	}
}

// TestSignalsDuringAdminWork ends a server while a profile is written, and while a long file is
// reloaded.
func TestSignalsDuringAdminWork(t *testing.T) {
	if testing.Short() {
		t.Skip("many processes")
	}
	for what, request := range map[string]string{
		"a profile": "GET /debug/pprof/profile?seconds=60", "a reload": "POST /-/reload",
	} {
		path := filepath.Join(t.TempDir(), "prices.csv")
		replaceFile(t, path, pricesCSV(100))
		p := start(t, "-prices", path, "-watch", "0s", "-drain-delay", "0s")
		writeLongPrices(t, path)
		method, target, _ := strings.Cut(request, " ")
		go func() {
			req, _ := http.NewRequest(method, "http://"+p.admin+target, nil)
			if resp, err := http.DefaultClient.Do(req); err == nil {
				resp.Body.Close()
			}
		}()
		time.Sleep(200 * time.Millisecond)
		require.NoError(t, p.Process.Signal(syscall.SIGTERM))
		require.Equal(t, 0, p.waitExit(t, 6*time.Second), "%s: %s", what, p.logged())
	}
}
