package market_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"tickercast/model/market"
)

func TestReadNoticesAFlippedBit(t *testing.T) {
	good := []byte(zip(plain))
	// Bits of the header before, such as the time, have no effect.
	for i := 10; i < len(good); i++ {
		for bit := range 8 {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << bit
			p, err := readAs(bytes.NewReader(bad), "p.csv")
			if err == nil && dump(p) != plainPanel { // a few bits are padding
				t.Errorf("bit %d of byte %d flipped is read as\n%s", bit, i, dump(p))
			}
		}
	}
}

func TestReadBoundsARow(t *testing.T) {
	note := func(n int) string {
		return "date,ticker,close,note\n2026-02-17,AAPL,1,\n2026-02-18,AAPL,1," +
			strings.Repeat("x", n) + "\n"
	}
	const line = len("2026-02-18,AAPL,1,\n")
	if _, err := readAs(strings.NewReader(note(1<<20-line)), "p.csv"); err != nil {
		t.Errorf("a row of a mebibyte: %v", err)
	}
	for name, r := range map[string]io.Reader{
		"a row of a byte more": strings.NewReader(note(1<<20 - line + 1)),
		"gzip":                 strings.NewReader(zip(note(1<<20 - line + 1))),
		"no end": io.MultiReader(strings.NewReader(note(0)+"2026-02-19,"),
			endless('x')),
		"an open quote": io.MultiReader(strings.NewReader(note(0)+"2026-02-19,\""),
			endless('\n')),
	} {
		_, err := readAs(r, "p.csv")
		if err == nil || !strings.Contains(err.Error(), "a row of more than 1048576 bytes") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// endless is a reader of one byte for ever.
type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

func TestReadLeavesTheReaderAlone(t *testing.T) {
	var over atomic.Bool
	packed := zip("date,ticker,close\nbad\n" + strings.Repeat("2026-02-18,AAPL,1\n", 1<<17))
	source := strings.NewReader(packed)
	r := readerFunc(func(p []byte) (int, error) {
		if over.Load() {
			t.Error("the reader is read after Read has returned")
		}
		return source.Read(p)
	})
	if _, err := readAs(r, "p.csv"); err == nil {
		t.Error("a bad row was read")
	}
	over.Store(true)

	broken := errors.New("broken pipe")
	r = func([]byte) (int, error) { return 0, broken }
	for _, text := range []string{"", plain, packed[:1000]} {
		if _, err := readAs(io.MultiReader(strings.NewReader(text), r), "p.csv"); err == nil {
			t.Errorf("an error of the reader after %d bytes was lost", len(text))
		}
	}
	if _, err := readAs(io.MultiReader(strings.NewReader(plain), r), "p.csv"); !errors.Is(err,
		broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("good/BRK.B.csv.gz",
		zip("Date,Open,High,Low,Close,Adj Close,Volume\n2026-02-18,490,500,480,497,497,1\n"))
	write("good/AAPL.csv", "date,close\n2026-02-18,264.35\n2026-02-17,263.5\n")
	write("good/whatever.csv", "date,close,ticker\n2026-02-17,1,CCC\n2026-02-17,2,BBB\n")
	write("good/README.md", "not prices")
	write("good/.csv", "not prices")
	write("good/old.csv/AAPL.csv", "not prices")
	want := "AAPL 2026-02-17 - - - 263.5\nAAPL 2026-02-18 - - - 264.35\nBBB 2026-02-17 - - - " +
		"2\nBRK.B 2026-02-18 490 500 480 497\nCCC 2026-02-17 - - - 1\n"
	p, err := market.Open(t.Context(), filepath.Join(dir, "good"), market.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := dump(p); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}

	file := write("prices.txt", zip(plain)) // the name says nothing
	if p, err := market.Open(t.Context(), file, market.Options{}); err != nil ||
		dump(p) != plainPanel {
		t.Errorf("Open(%s): %v", file, err)
	}

	if err := os.MkdirAll(filepath.Join(dir, "empty"), 0o777); err != nil {
		t.Fatal(err)
	}
	write("twice/AAPL.csv", "date,close\n2026-02-18,1\n")
	write("twice/B.csv", "date,close,ticker\n2026-02-18,1,AAPL\n")
	write("bad/A.csv", "date,close\n2026-02-18,1\n")
	write("bad/B.csv", "date,close\n2026-02-18,0\n")
	write("noclose/A.csv", "date,cost\n2026-02-18,1\n")
	for name, want := range map[string]string{
		"missing": "no such file or directory",
		"empty":   "empty: no .csv or .csv.gz file in the directory",
		"twice": filepath.Join(dir, "twice/B.csv") + `:2: ticker "AAPL" is also in ` +
			filepath.Join(dir, "twice/AAPL.csv"),
		"bad": filepath.Join(dir, "bad/B.csv") + `:2: close "0" is not a price`,
		"noclose": filepath.Join(dir, "noclose/A.csv") +
			":1: header has no column close or adj_close",
	} {
		_, err := market.Open(t.Context(), filepath.Join(dir, name), market.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%s): got %v, want %s", name, err, want)
		}
	}
}
