//go:build unix

package cli_test

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// badFiles put at a path what is no good file of any kind. Each must be refused without blocking
// and without reading it whole.
var badFiles = map[string]func(t *testing.T, path string){
	"fifo": func(t *testing.T, path string) {
		require.NoError(t, syscall.Mkfifo(path, 0o644))
	},
	"directory": func(t *testing.T, path string) {
		require.NoError(t, os.Mkdir(path, 0o755))
	},
	"endless device": func(t *testing.T, path string) {
		require.NoError(t, os.Symlink("/dev/zero", path))
	},
	"64 GB sparse": func(t *testing.T, path string) {
		require.NoError(t, os.WriteFile(path, nil, 0o644))
		require.NoError(t, os.Truncate(path, 64<<30))
	},
	"emptied": func(t *testing.T, path string) {
		require.NoError(t, os.WriteFile(path, nil, 0o644))
	},
	"gone": func(*testing.T, string) {},
}

// A fileCase is a file that serve reads.
type fileCase struct {
	resource string // as in the metric
	name     string
	flags    func(path string) []string
	good     func(t *testing.T, n int) []byte // n makes another one each time
}

func fileCases(t *testing.T) []fileCase {
	weights, err := os.ReadFile("../../model/weights.bin")
	require.NoError(t, err)
	key := filepath.Join(t.TempDir(), "key.pem")
	chain, private := newCertificate(t, "files")
	require.NoError(t, os.WriteFile(key, private, 0o600))
	same := func(data []byte) func(*testing.T, int) []byte {
		return func(*testing.T, int) []byte { return data }
	}
	return []fileCase{
		{"prices", "prices.csv", func(path string) []string { return []string{"-prices", path} },
			func(_ *testing.T, n int) []byte { return pricesCSV(float64(100 + n)) }},
		{"weights", "weights.bin",
			func(path string) []string { return []string{"-weights", path} }, same(weights)},
		{"keys", "keys", func(path string) []string { return []string{"-api-keys", path} },
			func(_ *testing.T, n int) []byte {
				return []byte(strings.Repeat("ab", 31) + fmt.Sprintf("%02x\n", n))
			}},
		{"admin_token", "token",
			func(path string) []string { return []string{"-admin-token-file", path} },
			same([]byte(anAdminToken))},
		{"certificate", "cert.pem",
			func(path string) []string { return []string{"-tls-cert", path, "-tls-key", key} },
			same(chain)},
	}
}

// TestBadFilesAtStart wants one line of error within three seconds, for every file that serve reads
// and everything that it may be by mistake.
func TestBadFilesAtStart(t *testing.T) {
	for _, c := range fileCases(t) {
		if testing.Short() && c.resource != "prices" {
			continue
		}
		for kind, put := range badFiles {
			t.Run(c.resource+"/"+kind, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), c.name)
				put(t, path)
				began := time.Now()
				status, out := startRefused(t, c.flags(path)...)
				require.Equal(t, 1, status, out)
				require.Equal(t, 1, strings.Count(out, "\n"), "one line: %q", out)
				require.Contains(t, out, path)
				require.Less(t, time.Since(began), 10*time.Second)
			})
		}
	}
}

// TestBadFilesAtReload replaces each file of a running server by each bad one: what was served goes
// on, /readyz and a metric say what is wrong, the next good file is taken, and SIGTERM ends the
// server in good time.
func TestBadFilesAtReload(t *testing.T) {
	for _, c := range fileCases(t) {
		t.Run(c.resource, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), c.name)
			replaceFile(t, path, c.good(t, 0))
			p := start(t, append(c.flags(path), "-watch", "20ms", "-drain-delay", "0s")...)
			metric := func(value string) func() bool {
				return func() bool {
					return strings.Contains(p.adminGet(t, "/metrics"),
						"\ntickercast_last_reload_successful{resource=\""+c.resource+"\"} "+value+"\n")
				}
			}
			require.True(t, metric("1")())
			n := 0
			for kind, put := range badFiles {
				require.NoError(t, os.RemoveAll(path))
				put(t, path)
				eventually(t, 10*time.Second, metric("0"))
				reasons := p.adminGet(t, "/readyz")
				require.Contains(t, reasons, `"status":"ready","reasons":["`+c.resource+": ", kind)
				require.Contains(t, reasons, path, "an operator needs the path: %s", kind)
				status, public := p.publicGet(t, "/readyz")
				require.Equal(t, http.StatusOK, status)
				require.Contains(t, public, `"reasons":["`+c.resource+": ", kind)
				require.NotContains(t, public, filepath.Dir(path), "for operators only: %s", kind)
				n++
				require.NoError(t, os.RemoveAll(path))
				replaceFile(t, path, c.good(t, n))
				eventually(t, 10*time.Second, metric("1"))
			}
			require.NoError(t, os.RemoveAll(path))
			badFiles["fifo"](t, path)
			eventually(t, 10*time.Second, metric("0"))
			require.NoError(t, p.Process.Signal(syscall.SIGTERM))
			require.Equal(t, 0, p.waitExit(t, 8*time.Second), p.logged())
		})
	}
}

// TestRestlessFile appends a row at every poll. The server logs that once, and reloads when the
// file stays the same.
func TestRestlessFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "prices.csv")
	require.NoError(t, os.WriteFile(path, pricesCSV(100), 0o644))
	p := start(t, "-prices", path, "-watch", "50ms")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	defer f.Close()
	day := 0
	eventually(t, 20*time.Second, func() bool {
		day++
		fmt.Fprintf(f, "1990-%02d-%02d,OTHER,7\n", 1+day/28%12, 1+day%28)
		_, reasons := p.publicGet(t, "/readyz")
		return strings.Contains(reasons, "prices: the files keep changing")
	})
	eventually(t, 10*time.Second, func() bool {
		_, reasons := p.publicGet(t, "/readyz")
		return strings.Contains(reasons, `"reasons":[]`)
	})
	require.Equal(t, 1, strings.Count(p.logged(), "serving what was served"), p.logged())
}

// TestReloadsDoNotPileUp asks a thousand times by clients that leave at once, and sends two
// thousand signals: at most two more reloads run.
func TestReloadsDoNotPileUp(t *testing.T) {
	if testing.Short() {
		t.Skip("runs processes for long")
	}
	path := filepath.Join(t.TempDir(), "prices.csv")
	writeLongPrices(t, path)
	p := start(t, "-prices", path, "-watch", "0s")
	reloads := func() int {
		n := 0
		for _, m := range regexp.MustCompile(`(?m)^reloads_total\{.*\} (\d+)$`).
			FindAllStringSubmatch(p.adminGetWhenFree(t, "/metrics"), -1) {
			of, err := strconv.Atoi(m[1])
			require.NoError(t, err)
			n += of
		}
		return n
	}
	require.Zero(t, reloads())
	client := &http.Client{Timeout: 2 * time.Millisecond,
		Transport: &http.Transport{DisableKeepAlives: true}}
	var clients sync.WaitGroup
	for range 50 {
		clients.Go(func() {
			for range 20 {
				if resp, err := client.Post("http://"+p.admin+"/-/reload", "", nil); err == nil {
					resp.Body.Close()
				}
			}
		})
	}
	clients.Wait()
	for range 2000 {
		require.NoError(t, p.Process.Signal(syscall.SIGHUP))
	}
	before := reloads()
	last := -1
	eventually(t, time.Minute, func() bool { // until no more come
		time.Sleep(2 * time.Second)
		now := reloads()
		defer func() { last = now }()
		return now == last && now > 0
	})
	t.Logf("%d reloads while 1000 clients called and 2000 signals came, %d after that", before,
		last-before)
	require.LessOrEqual(t, last-before, 2, "one under way and one waiting")
	require.LessOrEqual(t, last, 5, "clients that left do not count")
}

// TestBombOfEqualRows serves, and reloads, 495 kB of gzip that hold 12 million equal rows, within a
// memory limit.
func TestBombOfEqualRows(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	if testing.Short() {
		t.Skip("240 MB of rows")
	}
	dir := t.TempDir()
	bomb := filepath.Join(dir, "bomb.csv.gz")
	f, err := os.Create(bomb)
	require.NoError(t, err)
	z, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
	require.NoError(t, err)
	w := bufio.NewWriterSize(z, 1<<20)
	w.WriteString("date,ticker,close\n")
	rows := strings.Repeat("2024-01-02,A,1.0\n", 1000)
	for range 12_000 {
		w.WriteString(rows)
	}
	require.NoError(t, w.Flush())
	require.NoError(t, z.Close())
	require.NoError(t, f.Close())
	t.Setenv("GOMEMLIMIT", "128MiB")
	status, out := startRefused(t, "-prices", bomb)
	require.Equal(t, 1, status, out)

	path := filepath.Join(dir, "prices.csv.gz")
	replaceFile(t, path, gzipped(t, pricesCSV(100)))
	p := start(t, "-prices", path, "-watch", "50ms")
	require.NoError(t, os.Rename(bomb, path))
	eventually(t, 3*time.Minute, func() bool {
		return strings.Contains(p.adminGet(t, "/readyz"), "prices: the last reload was refused")
	})
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	require.NoError(t, err)
	peak := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(data)
	require.NotNil(t, peak)
	kB, err := strconv.Atoi(string(peak[1]))
	require.NoError(t, err)
	t.Logf("peak of %d kB", kB)
	require.Less(t, kB, 128<<10)
	st, body := p.post(t, "/predict", `{"ticker":"ACME"}`)
	require.Equal(t, http.StatusOK, st, body)
}
