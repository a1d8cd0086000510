package market_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"tickercast/model/market"
)

// dump writes a panel as text: a row a line, in the order of the panel, with - for a column that is
// absent and ? for a price that is not known.
func dump(p *market.Panel) string {
	var b strings.Builder
	for _, s := range p.Series() {
		for i, d := range s.Dates {
			fmt.Fprintf(&b, "%s %v", s.Ticker, d)
			for _, column := range [][]float64{s.Open, s.High, s.Low, s.Close} {
				switch {
				case column == nil:
					b.WriteString(" -")
				case math.IsNaN(column[i]):
					b.WriteString(" ?")
				default:
					fmt.Fprintf(&b, " %v", column[i])
				}
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func zip(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

const plain = "date,ticker,close\n2026-02-17,AAPL,263.5\n2026-02-18,AAPL,264.35\n2026-02-18,BRK.B,497\n"

const plainPanel = "AAPL 2026-02-17 - - - 263.5\nAAPL 2026-02-18 - - - 264.35\nBRK.B 2026-02-18 " +
	"- - - 497\n"

func TestReadForms(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"long", plain, plainPanel},
		{"gzip", zip(plain), plainPanel},
		{"two gzip members", zip(plain[:30]) + zip(plain[30:]), plainPanel},
		{"byte order mark", "\ufeff" + plain, plainPanel},
		{"byte order mark in gzip", zip("\ufeff" + plain), plainPanel},
		{"CRLF", strings.ReplaceAll(plain, "\n", "\r\n"), plainPanel},
		{"no last line end", strings.TrimSuffix(plain, "\n"), plainPanel},
		{"blank lines", strings.ReplaceAll(plain, "\n", "\n\n"), plainPanel},
		{"quotes", `"date","ticker","close"` + "\n" + `"2026-02-17","AAPL","263.5"` +
			"\n2026-02-18,\"AAPL\",264.35\n\"2026-02-18\",BRK.B,\"497\"\n", plainPanel},
		{"a comma and a line end in quotes",
			"close,date,note,ticker\n263.5,2026-02-17,\"up, " +
				"then\n\"\"down\"\"\",AAPL\n264.35,2026-02-18,,AAPL\n497,2026-02-18,,BRK.B\n",
			plainPanel},
		{"spaces",
			"date , ticker, close\n2026-02-17, AAPL, 263.5\n2026-02-18 ,AAPL " +
				",264.35\n2026-02-18,\" BRK.B\",\t497\n", plainPanel},
		{"numbers",
			"date,ticker,close\n2026-02-17,AAPL,+2635e-1\n2026-02-18,AAPL,264.350\n2026-02-18,BRK.B,4.97E+02\n", plainPanel},
		{"unsorted",
			"date,ticker,close\n2026-02-18,BRK.B,497\n2026-02-18,AAPL,264.35\n2026-02-17,AAPL,263.5\n", plainPanel},
		{"repeated",
			plain + "2026-02-17,AAPL,263.50\n2026-02-18,AAPL,264.35\n2026-02-17,AAPL,263.5\n",
			plainPanel},
		{"other columns",
			"volume,Close,Symbol,DATE,sector\n1,263.5,AAPL,2026-02-17,\n,264.35,AAPL,2026-02-18,x\nmany,497,BRK.B,2026-02-18,y\n", plainPanel},
		{"a symbol before a name",
			"date,Name,Symbol,close\n2026-02-17,Apple,AAPL,263.5\n2026-02-18,Apple,AAPL,264.35\n2026-02-18,Berkshire,BRK.B,497\n", plainPanel},
		{"names alone",
			"date,close,Name\n2026-02-17,263.5,AAPL\n2026-02-18,264.35,AAPL\n2026-02-18,497,BRK.B\n", plainPanel},
		{"midnight",
			"date,ticker,close\n2026-02-17 00:00:00,AAPL,263.5\n2026-02-18 " +
				"00:00:00-05:00,AAPL,264.35\n2026-02-18T00:00:00.000Z,BRK.B,497\n", plainPanel},
		{"adjusted close",
			"date,ticker,close,adj_close\n2026-02-17,AAPL,1,263.5\n2026-02-18,AAPL,2,264.35\n2026-02-18,BRK.B,3,497\n", plainPanel},
		{"adjusted close alone",
			"Date,Ticker,Adj Close,Open\n2026-02-17,AAPL,263.5,1\n2026-02-18,AAPL,264.35,1\n2026-02-18,BRK.B,497,1\n", plainPanel},
		{"wide", "date,BRK.B,AAPL,GONE\n2026-02-17,,263.5,\n2026-02-18,497,264.35,\n", plainPanel},
		{"wide, unsorted, repeated",
			"Date,AAPL,BRK.B\n2026-02-18,264.35,497\n2026-02-18,264.35,\n2026-02-17,263.5,\n",
			plainPanel},
		{"wide, with words of the long form for tickers", "date,LOW,OPEN\n2026-02-18,250,7\n",
			"LOW 2026-02-18 - - - 250\nOPEN 2026-02-18 - - - 7\n"},
		{
			"open, high, low",
			"date,ticker,open,high,low,close\n2026-02-17,AAPL,9,12,8,10\n2026-02-18,AAPL,,12,,10\n",
			"AAPL 2026-02-17 9 12 8 10\nAAPL 2026-02-18 ? 12 ? 10\n",
		},
		{
			"adjusted open, high, low",
			"date,ticker,open,high,low,close,adj " +
				"close\n2026-02-17,AAPL,9,12,8,10,5\n2026-02-18,AAPL,9,12,8,10,10\n",
			"AAPL 2026-02-17 4.5 6 4 5\nAAPL 2026-02-18 9 12 8 10\n",
		},
		{"some of them", "date,ticker,low,close\n2026-02-17,AAPL,8,10\n",
			"AAPL 2026-02-17 - - 8 10\n"},
		{
			"ranges that do not fit are dropped",
			"date,ticker,open,high,low,close\n" +
				"2026-02-10,AAPL,9,8,12,10\n" + // high below low
				"2026-02-11,AAPL,9,9,8,10\n" + // close above high
				"2026-02-12,AAPL,9,12,11,10\n" + // close below low
				"2026-02-13,AAPL,13,12,8,10\n" + // open above high
				"2026-02-14,AAPL,7,12,8,10\n" + // open below low, on a Saturday
				"2026-02-16,AAPL,,9,,10\n" +
				"2026-02-17,AAPL,9,9.99999,8,10\n" + // rounding
				"2026-02-18,AAPL,10,10,10,10\n",
			"AAPL 2026-02-10 ? ? ? 10\nAAPL 2026-02-11 ? ? ? 10\nAAPL 2026-02-12 ? ? ? 10\nAAPL " +
				"2026-02-13 ? ? ? 10\nAAPL 2026-02-14 ? ? ? 10\n" +
				"AAPL 2026-02-16 ? ? ? 10\nAAPL 2026-02-17 9 9.99999 8 10\nAAPL 2026-02-18 10 " +
				"10 10 10\n",
		},
		{"the first of a day counts",
			"date,ticker,open,close\n2026-02-18,AAPL,9,10\n2026-02-17,AAPL,8,10\n2026-02-18,AAPL,8,10\n", "AAPL 2026-02-17 8 - - 10\nAAPL 2026-02-18 9 - - 10\n"},
		{"any ticker",
			"date,ticker,close\n2026-02-18,aapl,1\n2026-02-18,HINDUNILVR.NS,2\n2026-02-18,Société Générale,3\n", "HINDUNILVR.NS 2026-02-18 - - - 2\nSociété Générale 2026-02-18 - - - 3\naapl 2026-02-18 - - - 1\n"},
	} {
		p, err := market.Read(strings.NewReader(c.text), "prices.csv")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := dump(p); got != c.want {
			t.Errorf("%s: got\n%swant\n%s", c.name, got, c.want)
		}
		if _, err := market.NewPanel(p.Series()); err != nil {
			t.Errorf("%s: unsound: %v", c.name, err)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	row := func(r string) string {
		return "date,ticker,open,close\n2026-02-17,AAPL,1,1\n" + r + "\n2026-02-19,AAPL,1,1\n"
	}
	const price = "is not a price (want a decimal number, 1e-12 to 1e+15)"
	for _, c := range []struct{ text, want string }{
		{"", "p.csv: empty file"},
		{"\n\r\n", "p.csv: empty file"},
		{"\ufeff", "p.csv: empty file"},
		{zip(""), "p.csv: empty file"},
		{"date,ticker,close\n", "p.csv: no prices below the header"},
		{"date,AAPL\n2026-02-18,\n", "p.csv: no prices below the header"},
		{"ticker,close\nAAPL,1\n", `p.csv:1: header has no column date: "ticker,close"`},
		{"AAPL,date\n1,2026-02-18\n",
			`p.csv:1: header has no column ticker, symbol or name (a file of one ticker goes into a folder, named TICKER.csv): "AAPL,date"`},
		{"date,close\n2026-02-18,1\n",
			`p.csv:1: header has no column ticker, symbol or name (a file of one ticker goes into a folder, named TICKER.csv): "date,close"`},
		{"date,open,high,low,volume\n2026-02-18,1,1,1,1\n",
			`p.csv:1: header has no column ticker, symbol or name (a file of one ticker goes into a folder, named TICKER.csv): "date,open,high,low,volume"`},
		{"date,ticker,price\n2026-02-18,AAPL,1\n",
			`p.csv:1: header has no column close or adj_close: "date,ticker,price"`},
		{"date,ticker,close,Close\n2026-02-18,AAPL,1,1\n",
			`p.csv:1: header has two columns "close": "date,ticker,close,Close"`},
		{"date,AAPL,AAPL\n2026-02-18,1,1\n",
			`p.csv:1: header has two columns "AAPL": "date,AAPL,AAPL"`},
		{"date,AAPL,\n2026-02-18,1,\n", `p.csv:1: header column 3: empty ticker: "date,AAPL,"`},
		{"date\n2026-02-18\n", `p.csv:1: header has no ticker: "date"`},
		{"2026-02-18,AAPL,1\n", `p.csv:1: header has no column date: "2026-02-18,AAPL,1"`},
		{"\x89PNG\r\n\x1a\n", `p.csv:1: header has no column date: "\x89PNG"`},

		{row("2026-02-18,AAPL,1,0"), `p.csv:3: close "0" ` + price},
		{row("2026-02-18,AAPL,1,-1.5"), `p.csv:3: close "-1.5" ` + price},
		{row("2026-02-18,AAPL,1,NaN"), `p.csv:3: close "NaN" ` + price},
		{row("2026-02-18,AAPL,1,Inf"), `p.csv:3: close "Inf" ` + price},
		{row("2026-02-18,AAPL,1,1e999"), `p.csv:3: close "1e999" ` + price},
		{row("2026-02-18,AAPL,1,1e300"), `p.csv:3: close "1e300" ` + price},
		{row("2026-02-18,AAPL,1,1e-300"), `p.csv:3: close "1e-300" ` + price},
		{row("2026-02-18,AAPL,1,0x1p4"), `p.csv:3: close "0x1p4" ` + price},
		{row("2026-02-18,AAPL,1,1_0"), `p.csv:3: close "1_0" ` + price},
		{row("2026-02-18,AAPL,1,$1"), `p.csv:3: close "$1" ` + price},
		{row("2026-02-18,AAPL,1,\"1,000\""), `p.csv:3: close "1,000" ` + price},
		{row("2026-02-18,AAPL,1,1.2.3"), `p.csv:3: close "1.2.3" ` + price},
		{row("2026-02-18,AAPL,1,"), `p.csv:3: close "" ` + price},
		{row("2026-02-18,AAPL,0,1"), `p.csv:3: open "0" ` + price},
		{row("2026-02-18,AAPL,null,1"), `p.csv:3: open "null" ` + price},
		{row("2026-02-18,AAPL,1," + strings.Repeat("9", 200)),
			`p.csv:3: close "` + strings.Repeat("9", 80) + `" ` + price},
		{"date,AAPL,MSFT\n2026-02-18,1,x\n", `p.csv:2: "MSFT" "x" ` + price},
		{"date,ticker,close,adj_close\n2026-02-18,AAPL,1,\n", `p.csv:2: adj_close "" ` + price},
		{"date,ticker,close,adj_close\n2026-02-18,AAPL,,1\n", `p.csv:2: close "" ` + price},

		{row("2026-02-30,AAPL,1,1"), `p.csv:3: date "2026-02-30" is not a date (want YYYY-MM-DD)`},
		{row("02/18/2026,AAPL,1,1"), `p.csv:3: date "02/18/2026" is not a date (want YYYY-MM-DD)`},
		{row("2026-02-18 09:30:00,AAPL,1,1"),
			`p.csv:3: date "2026-02-18 09:30:00" is not a date (want YYYY-MM-DD)`},
		{row(",AAPL,1,1"), `p.csv:3: date "" is not a date (want YYYY-MM-DD)`},
		{row("0202-02-18,AAPL,1,1"),
			`p.csv:3: date "0202-02-18" is not a date of the years 1800 to 2199`},

		{row("2026-02-18,,1,1"), `p.csv:3: empty ticker`},
		{row("2026-02-18,\"A\nB\",1,1"),
			`p.csv:3: ticker "A\nB" has a character that cannot be printed`},
		{row("2026-02-18,A\xffB,1,1"), `p.csv:3: ticker "A\xffB" is not UTF-8`},
		{row("2026-02-18," + strings.Repeat("A", 65) + ",1,1"),
			`p.csv:3: ticker "` + strings.Repeat("A", 64) + `" is longer than 64 bytes`},

		{row("2026-02-18,AAPL,1"), "p.csv:3: 3 fields, but 4 in the header"},
		{row("2026-02-18,AAPL,1,1,"), "p.csv:3: 5 fields, but 4 in the header"},
		{row("2026-02-18,A\"APL,1,1"), `p.csv:3: bare " in non-quoted-field`},
		{row("2026-02-18,\"AAPL,1,1"), `p.csv:3: extraneous or missing " in quoted-field`},
		{plain + "2026-02-19,AAP", "p.csv:5: 2 fields, but 3 in the header"},
		{zip(plain + "2026-02-19,AAP"), "p.csv:5: 2 fields, but 3 in the header"},

		{plain + "2026-02-17,AAPL,263.51\n",
			`p.csv:5: ticker "AAPL" on 2026-02-17 closes at 263.51, but at 263.5 in line 2`},
		{"date,AAPL\n2026-02-17,2\n2026-02-18,1\n2026-02-17,3\n",
			`p.csv:4: ticker "AAPL" on 2026-02-17 closes at 3, but at 2 in line 2`},

		{"\x1f\x8b", "p.csv:1: decompressing: unexpected EOF"},
		{zip(plain)[:40], "p.csv:2: decompressing: unexpected EOF"},
		{zip(plain)[:len(zip(plain))-1], "p.csv:5: decompressing: unexpected EOF"},
		{zip(plain) + "x", "p.csv:5: decompressing: unexpected EOF"},
		{zip(plain) + strings.Repeat("x", 20), "p.csv:5: decompressing: gzip: invalid header"},
	} {
		p, err := market.Read(strings.NewReader(c.text), "p.csv")
		if err == nil {
			t.Errorf("%.80q was read as\n%s", c.text, dump(p))
		} else if err.Error() != c.want {
			t.Errorf("%.80q:\ngot  %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestReadNoticesAFlippedBit(t *testing.T) {
	good := []byte(zip(plain))
	// the header before has the time and other things of no effect
	for i := 10; i < len(good); i++ {
		for bit := range 8 {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << bit
			p, err := market.Read(bytes.NewReader(bad), "p.csv")
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
	if _, err := market.Read(strings.NewReader(note(1<<20-line)), "p.csv"); err != nil {
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
		_, err := market.Read(r, "p.csv")
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
	if _, err := market.Read(r, "p.csv"); err == nil {
		t.Error("a bad row was read")
	}
	over.Store(true)

	broken := errors.New("broken pipe")
	r = func([]byte) (int, error) { return 0, broken }
	for _, text := range []string{"", plain, packed[:1000]} {
		if _, err := market.Read(io.MultiReader(strings.NewReader(text), r), "p.csv"); err == nil {
			t.Errorf("an error of the reader after %d bytes was lost", len(text))
		}
	}
	if _, err := market.Read(io.MultiReader(strings.NewReader(plain), r), "p.csv"); !errors.Is(err,
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
	p, err := market.Open(t.Context(), filepath.Join(dir, "good"))
	if err != nil {
		t.Fatal(err)
	}
	if got := dump(p); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}

	file := write("prices.txt", zip(plain)) // the name says nothing
	if p, err := market.Open(t.Context(), file); err != nil || dump(p) != plainPanel {
		t.Errorf("Open(%s): %v", file, err)
	}

	if err := os.MkdirAll(filepath.Join(dir, "empty"), 0o777); err != nil {
		t.Fatal(err)
	}
	write("twice/AAPL.csv", "date,close\n2026-02-18,1\n")
	write("twice/B.csv", "date,close,ticker\n2026-02-18,1,AAPL\n")
	write("bad/A.csv", "date,close\n2026-02-18,1\n")
	write("bad/B.csv", "date,close\n2026-02-18,0\n")
	write("noclose/A.csv", "date,price\n2026-02-18,1\n")
	for name, want := range map[string]string{
		"missing": "no such file or directory",
		"empty":   "empty: no .csv or .csv.gz file in the directory",
		"twice": filepath.Join(dir, "twice/B.csv") + `:2: ticker "AAPL" is also in ` +
			filepath.Join(dir, "twice/AAPL.csv"),
		"bad": filepath.Join(dir, "bad/B.csv") + `:2: close "0" is not a price`,
		"noclose": filepath.Join(dir, "noclose/A.csv") +
			":1: header has no column close or adj_close",
	} {
		if _, err := market.Open(t.Context(), filepath.Join(dir, name)); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("Open(%s): got %v, want %s", name, err, want)
		}
	}
}
