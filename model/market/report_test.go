package market_test

import (
	archive "archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tickercast/model/market"
)

// zipOf packs files, given as names and texts in turn.
func zipOf(files ...string) string {
	var b bytes.Buffer
	w := archive.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, _ := w.Create(files[i])
		io.WriteString(f, files[i+1])
	}
	w.Close()
	return b.String()
}

// folder writes files, given as names and texts in turn.
func folder(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func closes(rows ...string) string { return lines(append([]string{"Date,Close"}, rows...)...) }

func faults(t *testing.T, err error, dir string) (all []string) {
	t.Helper()
	var f *market.FaultsError
	if !errors.As(err, &f) {
		t.Fatalf("got %v, want faults", err)
	}
	for _, f := range f.Faults {
		all = append(all, strings.TrimPrefix(f.String(), dir+"/"))
	}
	return all
}

func TestOneRunNamesAllFaultyFiles(t *testing.T) {
	dir := folder(t,
		"A.csv", closes("2026-02-17,1", "2026-02-18,x", "2026-02-19,y"),
		"B.csv", closes("2026-02-17,2", "2026-02-18,null", "2026-02-19,3"),
		"C.csv", "404 Not Found: No data found\n",
		"D.csv", "Date,Close\n",
		"E.csv", "",
		"F.csv.gz", zip(closes("2026-02-17,2"))[:30],
		"G.csv", closes("2026-02-17,5", "2026-02-17,6", "2026-02-18,7"))
	want := []string{
		`A.csv:3: close "x" is not a price (want a decimal number, 1e-12 to 1e+15)`,
		`C.csv:1: header has no column date and no column close or adj_close: "404 Not Found: No ` +
			`data found"`,
		"D.csv: no prices below the header",
		"E.csv: empty file",
		"F.csv.gz:2: decompressing: unexpected EOF",
		`G.csv:3: ticker "G" on 2026-02-17 closes at 6, but at 5 in line 2`,
	}
	p, err := market.Open(t.Context(), dir, market.Options{})
	if got := faults(t, err, dir); p != nil || !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if end := " (and 5 more faulty files)"; !strings.HasSuffix(err.Error(), end) {
		t.Errorf("got %v, want an end of %q", err, end)
	}

	p, err = market.Open(t.Context(), dir, market.Options{SkipBad: true})
	if err != nil {
		t.Fatal(err)
	}
	wantRows := "A 2026-02-17 - - - 1\nB 2026-02-17 - - - 2\nB 2026-02-19 - - - 3\n" +
		"G 2026-02-17 - - - 5\nG 2026-02-18 - - - 7\n"
	if got := dump(p); got != wantRows {
		t.Errorf("got\n%swant\n%s", got, wantRows)
	}
	r := p.Report()
	var bad []string
	for _, f := range r.BadFiles {
		bad = append(bad, filepath.Base(f))
	}
	if r.BadRows != 3 || r.Missing != 1 || !slices.Equal(bad,
		[]string{"C.csv", "D.csv", "E.csv", "F.csv.gz"}) || len(r.Faults) != 6 {
		t.Errorf("got the report %+v", r)
	}
	if got := faults(t, &market.FaultsError{Faults: r.Faults}, dir); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	dir = folder(t, "A.csv", "Date,Close\n")
	_, err = market.Open(t.Context(), dir, market.Options{SkipBad: true})
	if got := faults(t, err, dir); len(got) != 1 {
		t.Errorf("of no good file: got %v", err)
	}
}

func TestFolder(t *testing.T) {
	one := closes("2026-02-17,1")
	dir := folder(t, "._ACME.csv", "x", ".hidden.csv", "x", "ACME.CSV", one, "ACME (1).csv", "x",
		"BETA (2).csv", one, "acme.us.txt", one, "old/X.csv", one, "G.csv.zip",
		zipOf("any.csv", one), "README.md", "x")
	p, err := market.Open(t.Context(), dir, market.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := "ACME 2026-02-17 - - - 1\nBETA 2026-02-17 - - - 1\nG 2026-02-17 - - - 1\n"
	if got := dump(p); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	var skipped []string
	for _, s := range p.Report().Skipped {
		skipped = append(skipped, filepath.Base(s))
	}
	if want := []string{"ACME (1).csv", "README.md", "acme.us.txt", "old"}; !slices.Equal(skipped,
		want) {
		t.Errorf("got %q as skipped, want %q", skipped, want)
	}
}

// TestFolderOfDays reads files that each have a day of many tickers.
func TestFolderOfDays(t *testing.T) {
	day := func(date, a, b string) string {
		return lines("SYMBOL,SERIES,CLOSE,TIMESTAMP", "A,EQ,"+a+","+date, "B,EQ,"+b+","+date)
	}
	dir := folder(t, "cm17FEB2026bhav.csv", day("17-FEB-2026", "1", "2"), "cm18FEB2026bhav.csv",
		day("18-FEB-2026", "3", "4"), "cm02MAR2026bhav.csv", day("02-MAR-2026", "5", "6"))
	p, err := market.Open(t.Context(), dir, market.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := "A 2026-02-17 - - - 1\nA 2026-02-18 - - - 3\nA 2026-03-02 - - - 5\n" +
		"B 2026-02-17 - - - 2\nB 2026-02-18 - - - 4\nB 2026-03-02 - - - 6\n"
	if got := dump(p); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if err := os.WriteFile(filepath.Join(dir, "x.csv"), []byte(day("18-FEB-2026", "3", "9")),
		0o666); err != nil {
		t.Fatal(err)
	}
	_, err = market.Open(t.Context(), dir, market.Options{})
	if want := "x.csv:3: ticker \"B\" on 2026-02-18 closes at 9, but at 4 in another file"; err ==
		nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestSingleFileNamesItsTicker(t *testing.T) {
	for name, want := range map[string]string{"ACME.csv": "ACME", "d/acme.us.txt": "acme.us",
		"BRK.B.csv.gz": "BRK.B", "ACME (1).CSV": "ACME", "^GSPC.csv.zip": "^GSPC", "-": "-"} {
		p, err := readAs(strings.NewReader(closes("2026-02-17,1")), name)
		if err != nil || p.Series()[0].Ticker != want {
			t.Errorf("%s: got %v, want the ticker %s", name, err, want)
		}
	}
}

// TestLevelIsRaw wants returns of adjusted closes and the level of raw ones.
func TestLevelIsRaw(t *testing.T) {
	p, err := readAs(strings.NewReader(lines("Date,Open,Close,Adj Close", "2026-02-12,,60,",
		"2026-02-13,80,100,50", "2026-02-16,,50,", "2026-02-17,,71.50,28.60",
		"2026-02-18,71.78,71.78,28.71")), "ACME.csv")
	if err != nil {
		t.Fatal(err)
	}
	// The day without an adjusted close has the return of the closes.
	want := "ACME 2026-02-12 ? - - 30\nACME 2026-02-13 40 - - 50\nACME 2026-02-16 ? - - 25\n" +
		"ACME 2026-02-17 ? - - 28.6\nACME 2026-02-18 28.71 - - 28.71\n"
	if got := dump(p); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	s := p.Series()[0]
	if want := []float64{60, 100, 50, 71.5, 71.78}; !slices.Equal(s.Raw, want) {
		t.Errorf("got the raw closes %v, want %v", s.Raw, want)
	}
	cut := p.Until(s.Dates[3]).Series()[0]
	if cut.Level(3) != 71.5 || cut.Close[3] != 28.6 {
		t.Errorf("got the level %v of %v, want 71.5 of 28.6", cut.Level(3), cut.Close[3])
	}

	var rows []string
	for i := range 40 {
		rows = append(rows, fmt.Sprintf("2026-01-%02d,%d,%d", i%20+1, 100+i%20, 50+i%20))
	}
	for i := range 20 {
		rows = append(rows, fmt.Sprintf("2026-02-%02d,%d,%d", i+1, 130+i, 80+i))
	}
	p, err = readAs(strings.NewReader(lines("Date,Close,Adj Close", strings.Join(rows, "\n"))),
		"ACME.csv")
	if err != nil {
		t.Fatal(err)
	}
	m, err := market.New(t.Context(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Tickers()[0].Close; got != 149 {
		t.Errorf("got the level %v, want 149", got)
	}
}

func TestOtherSeriesAreCounted(t *testing.T) {
	p, err := readAs(strings.NewReader(lines("SYMBOL,SERIES,CLOSE,DATE1", "A,BE,1,17-Feb-2026",
		"A,EQ,2,17-Feb-2026", "A,N1,3,17-Feb-2026", "B,N2,4,17-Feb-2026", "B,N1,5,17-Feb-2026")), "x")
	if err != nil {
		t.Fatal(err)
	}
	want := "A 2026-02-17 - - - 2\nB 2026-02-17 - - - 5\n"
	if got, n := dump(p), p.Report().OtherSeries; got != want || n != 3 {
		t.Errorf("got %d rows of other series and\n%swant 3 and\n%s", n, got, want)
	}
}
