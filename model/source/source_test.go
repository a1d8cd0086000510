package source_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/source"
)

// pricesCSV is a file of one ticker that closes near level for so many days.
func pricesCSV(level float64, days int) []byte {
	var b strings.Builder
	b.WriteString("date,ticker,close\n")
	day := calendar.Of(2020, 1, 2)
	for i := range days {
		fmt.Fprintf(&b, "%s,ACME,%.4f\n", day, level*(1+0.01*math.Sin(float64(i*i))))
		day = calendar.Default().Next(day, 1)
	}
	return []byte(b.String())
}

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

func write(t *testing.T, path string, data []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenReadsWhatIsEmbedded(t *testing.T) {
	m, mk, err := source.Config{Calibrate: true}.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want, _ := model.Embedded()
	if m.Version() != want.Version() || len(mk.Tickers()) != 503 {
		t.Errorf("got model %s and %d tickers", m.Version(), len(mk.Tickers()))
	}
	if got := source.NewLoader(source.Config{}).Watch(); len(got) != 0 {
		t.Errorf("%d sources are watched, want none", len(got))
	}
}

func TestOpenUntil(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "prices.csv"), pricesCSV(100, 60))
	day := calendar.Of(2020, 2, 28)
	_, mk, err := source.Config{Prices: path, Until: day}.Open(t.Context())
	if err != nil || mk.AsOf() != day {
		t.Errorf("got prices up to %v and error %v, want %v", mk.AsOf(), err, day)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	good := write(t, filepath.Join(dir, "good.csv"), pricesCSV(100, 60))
	bad := write(t, filepath.Join(dir, "bad.csv"), []byte("date,ticker,close\n2020-01-02,A,x\n"))
	short := write(t, filepath.Join(dir, "short.csv"), pricesCSV(100, 20))
	none := filepath.Join(dir, "none")
	large := write(t, filepath.Join(dir, "large"), make([]byte, 1<<20+1))
	for want, c := range map[string]source.Config{
		bad + `:2: close "x" is not a price`:                     {Prices: bad},
		fmt.Sprintf("prices %q: no ticker has 30 closes", short): {Prices: short},
		fmt.Sprintf("prices %q up to 2020-01-09: no ticker has 30 closes", good): {Prices: good,
			Until: calendar.Of(2020, 1, 9)},
		"prices embedded up to 1980-01-01: no ticker has 30 closes": {
			Until: calendar.Of(1980, 1, 1)},
		"reading weights: open " + none + ": no such file or directory":    {Weights: none},
		fmt.Sprintf("weights %q: model: bad weights: no model file", good): {Weights: good},
		"reading weights: " + large + ": larger than 1048576 bytes":        {Weights: large},
		"stat " + none + ": no such file or directory":                     {Prices: none},
	} {
		m, mk, err := c.Open(t.Context())
		if err == nil || !strings.HasPrefix(err.Error(), want) || m != nil || mk != nil {
			t.Errorf("%+v: got error %v, want %s", c, err, want)
		}
	}
}

// TestCutPrices cuts files at every byte of the last lines and at some before. The rest is refused,
// or holds whole rows only, or is listed as truncated.
func TestCutPrices(t *testing.T) {
	plain := pricesCSV(100, 120)
	packed := gzipped(plain)
	for _, file := range []string{"prices.csv", "prices.csv.gz", "folder/ACME.csv",
		"folder/ACME.csv.gz"} {
		path := filepath.Join(t.TempDir(), file)
		c := source.Config{Prices: path}
		if filepath.Dir(file) != "." {
			c.Prices = filepath.Dir(path)
		}
		data := plain
		if filepath.Ext(path) == ".gz" {
			data = packed
		}
		for n := 0; n < len(data); n++ {
			if n < len(data)-100 {
				n += 30
			}
			write(t, path, data[:n])
			_, mk, err := c.Open(t.Context())
			if err != nil {
				if !strings.Contains(err.Error(), c.Prices) {
					t.Errorf("%s cut after %d bytes: got error %v without the path", file, n, err)
				}
				continue
			}
			if filepath.Ext(path) != ".csv" {
				t.Fatalf("%s cut after %d bytes is read", file, n)
			}
			var want []string
			if data[n-1] != '\n' {
				want = []string{path}
			} else if got := mk.Tickers()[0].Close; math.Abs(got-100) > 2 {
				t.Errorf("%s cut after %d bytes: got a close of %v", file, n, got)
			}
			if got := mk.Panel().Truncated(); !slices.Equal(got, want) {
				t.Fatalf("%s cut after %d bytes: got %q as truncated, want %q", file, n, got, want)
			}
		}
		write(t, path, data)
		if _, _, err := c.Open(t.Context()); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestPricesThatAreBeingWritten opens a file while lines are added to it. That is refused, and the
// file is read once it is at rest.
func TestPricesThatAreBeingWritten(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "prices.csv"), pricesCSV(100, 120))
	c := source.Config{Prices: path}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var stop atomic.Bool
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; !stop.Load(); i++ {
			fmt.Fprintf(f, "%s,OTHER%d,7\n", calendar.Of(1950, 1, 1)+calendar.Date(i%10_000),
				i/10_000)
		}
	})
	want := path + ": changed whenever it was read"
	for end := time.Now().Add(20 * time.Second); ; {
		_, _, err = c.Open(t.Context())
		if err != nil && err.Error() == want || time.Now().After(end) {
			break
		}
	}
	stop.Store(true)
	writer.Wait()
	if err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
	if _, _, err := c.Open(t.Context()); err != nil {
		t.Errorf("at rest: %v", err)
	}
}

// countdown is a context that ends after so many questions about its end.
type countdown struct {
	context.Context
	left atomic.Int64
}

func (c *countdown) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return c.Context.Err()
}

// TestOpenStops ends the context at each place at which it is asked.
func TestOpenStops(t *testing.T) {
	dir := t.TempDir()
	plain := pricesCSV(100, 800)
	write(t, filepath.Join(dir, "A.csv"), plain)
	write(t, filepath.Join(dir, "B.csv.gz"), gzipped(bytes.ReplaceAll(plain, []byte("ACME"),
		[]byte("B"))))
	c := source.Config{Prices: dir, Calibrate: true}
	asked := 0
	for ; ; asked += 13 {
		ctx := &countdown{Context: t.Context()}
		ctx.left.Store(int64(asked))
		m, mk, err := c.Open(ctx)
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) || m != nil || mk != nil {
			t.Fatalf("ended after %d questions: got error %v, want %v", asked, err,
				context.Canceled)
		}
	}
	if asked < 1600+2+2+2 { // rows, and the tickers in the panel, the market and the calibration
		t.Errorf("the context was asked %d times", asked)
	}
}
