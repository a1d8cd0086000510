package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestKilledReload kills servers with SIGKILL while they reload, whatever made them, and starts the
// next on what there is then: it is ready within a second and serves the file that is there. Where
// that was being written in place, and stopped by half, neither the reload nor the next start takes
// it.
//
// TICKERCAST_KILLS=200 kills so many.
func TestKilledReload(t *testing.T) {
	if testing.Short() {
		t.Skip("many processes")
	}
	t.Parallel()
	kills, long := rounds(t, "TICKERCAST_KILLS", 5)
	within := 10 * time.Second // machines that test other things meanwhile
	if long {
		within = time.Second
	}
	path := filepath.Join(t.TempDir(), "prices.csv")
	// servedFile tells them apart
	files := [2][]byte{panelCSV(100, 400, numbered(20)), panelCSV(10000, 400, numbered(20))}
	packed := [2][]byte{gzipped(t, files[0]), gzipped(t, files[1])}
	flags := []string{"-prices", path, "-watch", "5ms"}

	rnd := rand.New(rand.NewPCG(4, 0))
	var slowest time.Duration
	var refused, reloaded int
	replaceFile(t, path, files[0])
	for i := range kills {
		began := time.Now()
		p := start(t, flags...)
		status, body := get(t, "http://"+p.addr+"/readyz")
		require.Equal(t, http.StatusOK, status, body)
		slowest = max(slowest, time.Since(began))
		require.Less(t, slowest, within, "round %d", i)
		require.Equal(t, i%2, p.servedFile(t, "T00"), "round %d", i)
		require.Equal(t, i%2, p.servedFile(t, "T19"), "round %d", i)

		next := (i + 1) % 2
		half := false
		switch i % 5 {
		case 0:
			replaceFile(t, path, files[next])
			require.NoError(t, p.Process.Signal(syscall.SIGHUP))
		case 1:
			replaceFile(t, path, packed[next])
			go func() { // the server may not live to answer
				if resp, err := http.Post("http://"+p.admin+"/-/reload", "", nil); err == nil {
					resp.Body.Close()
				}
			}()
		case 2:
			replaceFile(t, path, files[next])
		case 3, 4:
			half = true
			data := [][]byte{files[next], packed[next]}[i%5-3]
			cut := 1 + rnd.IntN(len(data)-1)
			// Cut before the last price of a row: a file of fewer whole rows would be valid, and so
			// may be a price with fewer digits.
			if i%5 == 3 {
				cut = max(1, bytes.LastIndexByte(data[:cut], ','))
			}
			require.NoError(t, os.WriteFile(path, data[:cut], 0o644))
			if rnd.IntN(2) == 0 {
				require.NoError(t, p.Process.Signal(syscall.SIGHUP))
			}
		}
		// a reload takes about half of that
		time.Sleep(time.Duration(rnd.Int64N(int64(20 * time.Millisecond))))
		got := p.servedFile(t, "T19")
		require.Contains(t, []int{i % 2, next}, got)
		if got == next {
			require.False(t, half, "round %d: serves half a file", i)
			reloaded++
		}
		require.NoError(t, p.Process.Kill())
		p.waitExit(t, 10*time.Second)
		if half {
			refused++
			status, out := startRefused(t, flags...)
			require.Equal(t, 1, status, out)
			require.Contains(t, out, path)
			require.Equal(t, 1, strings.Count(out, "\n"), "one line: %q", out)
			replaceFile(t, path, files[next])
		}
	}
	t.Logf("%d kills, %d of them after the reload; slowest start %v; %d files written by half, "+
		"all refused", kills, reloaded, slowest.Round(time.Millisecond), refused)
}

// servedFile asks for a ticker and returns which of two files the answer is made from: 0 for one
// with prices around 100, 1 for one with prices around 10,000.
func (p *process) servedFile(t *testing.T, ticker string) (file int) {
	t.Helper()
	status, body := p.post(t, "/predict", fmt.Sprintf(`{"ticker":%q,"days_ahead":3}`, ticker))
	require.Equal(t, http.StatusOK, status, body)
	for i, r := range decodeRows(t, body) {
		of := 0
		if r.Price > 1000 {
			of = 1
		}
		require.True(t, i == 0 || of == file, "a mix of two files: %s", body)
		require.Equal(t, of == 0, r.Upper < 1000, body)
		require.Equal(t, of == 1, r.Lower > 1000, body)
		file = of
	}
	return file
}

// startRefused runs serve until it ends by itself.
func startRefused(t *testing.T, flags ...string) (status int, out string) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute) // on a busy machine
	defer cancel()
	cmd := exec.CommandContext(ctx, exe,
		append([]string{"serve", "-addr", "127.0.0.1:0", "-admin-addr", "127.0.0.1:0"},
			flags...)...)
	cmd.Env = environment()
	b, _ := cmd.CombinedOutput() // the status says it
	return cmd.ProcessState.ExitCode(), string(b)
}
