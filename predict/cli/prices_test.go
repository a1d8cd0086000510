package cli

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/model/calendar"
)

func gzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(data)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

// TestCutPrices cuts files at every byte of the last lines and at some before. What is left is
// refused, or holds whole rows alone, or one whose price may be cut, which is said.
func TestCutPrices(t *testing.T) {
	plain := pricesCSV(100)
	packed := gzipped(t, plain)
	dir := t.TempDir()
	for _, file := range []string{"prices.csv", "prices.csv.gz", "folder/ACME.csv",
		"folder/ACME.csv.gz"} {
		path := filepath.Join(dir, file)
		src := source{prices: path}
		data := plain
		if filepath.Ext(path) == ".gz" {
			data = packed
		}
		if filepath.Dir(file) != "." {
			src.prices = filepath.Dir(path)
			require.NoError(t, os.RemoveAll(src.prices))
			require.NoError(t, os.Mkdir(src.prices, 0o755))
		}
		for n := 0; n < len(data); n++ {
			if n < len(data)-100 {
				n += 12
			}
			require.NoError(t, os.WriteFile(path, data[:n], 0o644))
			w, err := src.load(0)
			if err != nil {
				require.Contains(t, err.Error(), src.prices)
				continue
			}
			require.Equal(t, ".csv", filepath.Ext(path), "%s cut after %d bytes was read", file, n)
			if data[n-1] != '\n' {
				require.Equal(t, []string{path}, w.unended, "cut after %d bytes", n)
				continue
			}
			require.Empty(t, w.unended)
			require.InDelta(t, 100, w.market.Tickers()[0].Close, 2)
		}
		require.NoError(t, os.WriteFile(path, data, 0o644))
		_, err := src.load(0)
		require.NoError(t, err)
	}
}

// TestServeSaysWhatMayBeCut starts with a file that has no last line break, and reloads it.
func TestServeSaysWhatMayBeCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "prices.csv")
	require.NoError(t, os.WriteFile(path, bytes.TrimSuffix(pricesCSV(100), []byte("\n")), 0o644))
	p := start(t, "-prices", path)
	said := func(times int) func() bool {
		return func() bool { return strings.Count(p.logged(), "may be cut short") == times }
	}
	eventually(t, 10*time.Second, said(1))
	resp, err := http.Post("http://"+p.admin+"/-/reload", "", nil)
	require.NoError(t, err)
	status, body := readAll(t, resp)
	require.Equal(t, http.StatusOK, status, body)
	eventually(t, 10*time.Second, said(2))
	require.Contains(t, p.logged(), path)
}

// TestPricesThatAreBeingWritten loads while another hand adds line after line: that is refused, and
// the file is read once it has come to rest.
func TestPricesThatAreBeingWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "prices.csv")
	require.NoError(t, os.WriteFile(path, pricesCSV(100), 0o644))
	src := source{prices: path}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	defer f.Close()
	enough := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-enough:
				return
			default:
				fmt.Fprintf(f, "%s,OTHER%d,7\n", calendar.Of(1950, 1, 1)+calendar.Date(i%10_000),
					i/10_000)
			}
		}
	})
	eventually(t, 20*time.Second, func() bool {
		_, err := src.load(0)
		return err != nil && strings.Contains(err.Error(), path+": changed whenever it was read")
	})
	close(enough)
	writer.Wait()
	_, err = src.load(0)
	require.NoError(t, err)
}

// TestStampOfOlderWeights: a file of the same size that takes another's place is a change, however
// old it is.
func TestStampOfOlderWeights(t *testing.T) {
	dir := t.TempDir()
	paths := []string{filepath.Join(dir, "prices.csv"), filepath.Join(dir, "w.bin"),
		filepath.Join(dir, "next.bin")}
	for i, path := range paths {
		require.NoError(t, os.WriteFile(path, []byte("12345678"), 0o644))
		old := time.Now().Add(-time.Duration(i) * time.Hour)
		require.NoError(t, os.Chtimes(path, old, old))
	}
	before, err := stampOf(paths[:2])
	require.NoError(t, err)
	require.NoError(t, os.Rename(paths[2], paths[1]))
	after, err := stampOf(paths[:2])
	require.NoError(t, err)
	require.NotEqual(t, before, after)
}
