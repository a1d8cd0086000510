package server

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/model/calendar"
)

// pricesCSV makes a file of a ticker ACME that wobbles round level, so that each answer says which
// file it was made from.
func pricesCSV(level float64) []byte {
	var b strings.Builder
	b.WriteString("date,ticker,close\n")
	day := calendar.Of(2024, 1, 2)
	for i := range 120 {
		fmt.Fprintf(&b, "%s,ACME,%.4f\n", day, level*(1+0.01*math.Sin(float64(i*i))))
		day = calendar.Next(day, 1)
	}
	return []byte(b.String())
}

func writePrices(t testing.TB, path string, data []byte) {
	t.Helper()
	require.NoError(t, writeFile(path, data))
}

// priceOf asks a running server for ACME tomorrow.
func (p *process) priceOf(t *testing.T) float64 {
	t.Helper()
	status, body := p.post(t, "/predict", `{"ticker":"ACME"}`)
	require.Equal(t, http.StatusOK, status, body)
	return decodeRows(t, body)[0].Price
}

func TestReload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "prices.csv")
	writePrices(t, path, pricesCSV(100))
	p := start(t, "-prices", path, "-watch", "0")
	require.InDelta(t, 100, p.priceOf(t), 5)

	writePrices(t, path, pricesCSV(200))
	resp, err := http.Post("http://"+p.admin+"/-/reload", "", nil)
	require.NoError(t, err)
	status, body := readAll(t, resp)
	require.Equal(t, http.StatusOK, status, body)
	require.InDelta(t, 200, p.priceOf(t), 10)

	writePrices(t, path, pricesCSV(300))
	require.NoError(t, p.Process.Signal(syscall.SIGHUP))
	eventually(t, 5*time.Second, func() bool { return math.Abs(p.priceOf(t)-300) < 15 })

	// A refused file changes nothing and is told by line, in the answer, the log, a metric and
	// /readyz.
	writePrices(t, path, append(pricesCSV(400), "2025-01-02,ACME,minus one\n"...))
	resp, err = http.Post("http://"+p.admin+"/-/reload", "", nil)
	require.NoError(t, err)
	status, body = readAll(t, resp)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "prices.csv:122")
	require.Contains(t, body, "minus one")
	require.InDelta(t, 300, p.priceOf(t), 15)
	status, body = get(t, "http://"+p.addr+"/readyz")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "prices.csv:122")
	_, text := get(t, "http://"+p.admin+"/metrics")
	require.Contains(t, text, "\nreloads_total{result=\"refused\"} 1\n")
	require.Contains(t, text, "\nreloads_total{result=\"ok\"} 2\n")
	require.Contains(t, p.logged(), "prices.csv:122")

	writePrices(t, path, pricesCSV(500))
	require.NoError(t, p.Process.Signal(syscall.SIGHUP))
	eventually(t, 5*time.Second, func() bool { return math.Abs(p.priceOf(t)-500) < 25 })
	_, body = get(t, "http://"+p.addr+"/readyz")
	require.NotContains(t, body, "prices.csv", "a good reload ends the complaint")
}

func TestReloadWhenTheFileChanges(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ACME.csv")
	writePrices(t, path, pricesCSV(100))
	p := start(t, "-prices", dir, "-watch", "20ms")
	require.InDelta(t, 100, p.priceOf(t), 5)
	writePrices(t, path, pricesCSV(2000))
	eventually(t, 5*time.Second, func() bool { return math.Abs(p.priceOf(t)-2000) < 100 })
	require.NoError(t, os.Remove(path)) // nothing there: what is served stays
	writePrices(t, path, []byte("date,ticker,close\n"))
	eventually(t, 5*time.Second,
		func() bool { return strings.Contains(p.logged(), "reload refused") })
	require.InDelta(t, 2000, p.priceOf(t), 100)
}

func TestBadWeightsAreRefused(t *testing.T) {
	good, err := os.ReadFile("model/weights.bin")
	require.NoError(t, err)
	for name, data := range map[string][]byte{
		"empty":     {},
		"truncated": good[:len(good)/2],
		"flipped": append(append([]byte{}, good[:len(good)/2]...),
			append([]byte{good[len(good)/2] ^ 1}, good[len(good)/2+1:]...)...),
		"longer": append(append([]byte{}, good...), 0),
	} {
		path := filepath.Join(t.TempDir(), "weights.bin")
		writePrices(t, path, data)
		status, _, stderr := runCommand(t, nil, "predict", "-weights", path, "AAPL")
		require.Equal(t, 1, status, name)
		require.Contains(t, stderr, path, name)
	}
}

// TestChangeWhileStarting: prices that change after they are read and before anybody watches them
// are seen.
func TestChangeWhileStarting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "prices.csv")
	writePrices(t, path, pricesCSV(100))
	f := &serveFlags{source: source{prices: path}}
	w, err := f.source.load(0)
	require.NoError(t, err)
	writePrices(t, path, pricesCSV(20000))
	s, err := f.newServing(w, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer s.service.Close()
	s.reloader.look()
	_, mk := s.service.Current()
	require.InDelta(t, 20000, mk.Tickers()[0].Close, 1000)
	s.reloader.look()
	require.EqualValues(t, 1, s.reloader.ok.Value(), "reloads of what changed once")
}

// TestSwapsUnderLoad makes a thousand swaps between two worlds while clients ask: no error, no
// answer that mixes two worlds, none of a world that was already gone when its request began.
func TestSwapsUnderLoad(t *testing.T) {
	const swaps = 1000
	dir := t.TempDir()
	worlds := make([]world, 2)
	for i := range worlds {
		path := filepath.Join(dir, fmt.Sprintf("%d.csv", i))
		writePrices(t, path, pricesCSV(100*math.Pow(100, float64(i)))) // 100 and 10,000
		w, err := source{prices: path}.load(0)
		require.NoError(t, err)
		worlds[i] = w
	}
	s, err := (&serveFlags{}).newServing(worlds[0], slog.New(slog.NewTextHandler(io.Discard, nil)))
	require.NoError(t, err)
	server := httptest.NewServer(s.handler())
	defer server.Close()

	var begun, done atomic.Int64 // swaps that began and that were complete
	var answers atomic.Int64
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				before := done.Load()
				resp, err := http.Post(server.URL+"/predict", "application/json",
					strings.NewReader(fmt.Sprintf(`{"ticker":"acme","days_ahead":%d}`, 1+n%30)))
				if err != nil {
					t.Error(err)
					return
				}
				status, body := readAll(t, resp)
				after := begun.Load()
				if status != http.StatusOK {
					t.Errorf("status %d: %s", status, body)
					return
				}
				if got := worldOf(decodeRows(t, body)); got < 0 || before == after &&
					got != int(before%2) {
					t.Errorf("an answer of world %d between swaps %d and %d: %s", got, before,
						after, body)
					return
				}
				answers.Add(1)
			}
		})
	}
	for i := 1; i <= swaps; i++ {
		begun.Add(1)
		w := worlds[i%2]
		if err := s.service.Swap(w.model, w.market); err != nil {
			t.Fatal(err)
		}
		done.Add(1)
		for seen := answers.Load(); i%10 == 0 && answers.Load() < seen+8 && !t.Failed(); {
			runtime.Gosched() // so that some requests lie between two swaps, and some across
		}
	}
	close(stop)
	clients.Wait()
}

// worldOf tells which world made an answer, or -1 if its rows disagree.
func worldOf(rows []prediction) int {
	is := -1
	for i, r := range rows {
		w := 0
		if r.Price > 1000 {
			w = 1
		}
		if i > 0 && w != is || (w == 0) != (r.Upper < 1000) || (w == 1) != (r.Lower > 1000) {
			return -1
		}
		is = w
	}
	return is
}
