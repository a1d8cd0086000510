package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCheck(t *testing.T) {
	path := filepath.Join(t.TempDir(), "prices.csv")
	text := string(pricesCSV(100)) + "2024-06-22,ACME,101\n2024-06-24,FEW,7\n"
	replaceFile(t, path, []byte(text))
	status, out, stderr := runCommand(t, nil, "check", "-prices", path)
	require.Equal(t, 0, status, stderr)
	require.Empty(t, stderr)
	require.Equal(t, `TICKER  CALENDAR  ROWS  FROM        TO
ACME    XNYS      121   2024-01-02  2024-06-24

1 tickers, 121 rows
calendar XNYS: 1 tickers
warning: 1 rows on days that the ticker's calendar has closed (first: ACME 2024-06-22)
warning: 1 tickers left out with too few closes `+
		"(first: FEW: 1 closes up to 2024-06-24, a forecast needs 30)\n", out)
	status, out, stderr = runCommand(t, nil, "check", "-prices", path, "-format", "json")
	require.Equal(t, 0, status, stderr)
	require.JSONEq(t, `{
		"tickers": [{"ticker":"ACME","calendar":"XNYS","rows":121,"from":"2024-01-02",
			"to":"2024-06-24"}],
		"faults": [],
		"warnings": [
			{"kind":"closed_days","count":1,"first":"ACME 2024-06-22"},
			{"kind":"short","count":1,
				"first":"FEW: 1 closes up to 2024-06-24, a forecast needs 30"}]}`, out)
}

// TestCheckRefuses wants what serve would refuse named on stdout, with an exit status and one line
// on stderr.
func TestCheckRefuses(t *testing.T) {
	dir := t.TempDir()
	bad, short := filepath.Join(dir, "bad.csv"), filepath.Join(dir, "short.csv")
	gone := filepath.Join(dir, "gone.csv")
	replaceFile(t, bad, append(pricesCSV(100), "2024-06-25,ACME,minus one\n"...))
	replaceFile(t, short, bytes.Join(bytes.SplitAfter(pricesCSV(100), []byte("\n"))[:20], nil))
	for _, tt := range []struct{ path, fault, text string }{
		{bad, `{"file":"` + bad + `","line":122,"message":"close \"minus one\" is not a price ` +
			`(want a decimal number, 1e-12 to 1e+15)"}`,
			bad + `:122: close "minus one" is not a price`},
		{gone, `{"file":"` + gone + `","line":0,"message":"no such file or directory"}`,
			gone + ": no such file or directory"},
		{short, "", "no ticker has 30 closes"},
	} {
		status, out, stderr := runCommand(t, nil, "check", "-prices", tt.path, "-format", "json")
		require.Equal(t, 1, status, tt.path)
		require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
		require.Contains(t, stderr, "tickercast check: serve would refuse these prices: ")
		if tt.fault != "" {
			require.JSONEq(t, `{"tickers":[],"faults":[`+tt.fault+`],"warnings":[]}`, out)
		}
		status, out, _ = runCommand(t, nil, "check", "-prices", tt.path)
		require.Equal(t, 1, status, tt.path)
		require.Contains(t, out, "fault: ")
		require.Contains(t, out, tt.text)
	}
	for _, args := range [][]string{{"check"}, {"check", "-prices", bad, "-format", "csv"}} {
		status, out, stderr := runCommand(t, nil, args...)
		require.Equal(t, 2, status, stderr)
		require.Empty(t, out)
	}
}

// TestCheckNamesEveryFile wants each faulty file of a folder in one run, and with -skip-bad the
// tickers of the others too.
func TestCheckNamesEveryFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) { replaceFile(t, filepath.Join(dir, name), []byte(text)) }
	write("ACME.csv", string(pricesCSV(100)))
	write("ONE.csv", "date,close\n2024-01-02,x\n")
	write("TWO.csv", "<html>404 Not Found</html>\n")
	write("notes.txt", "")
	var report struct {
		Tickers []struct{ Ticker string }
		Faults  []struct{ File string }
	}
	for _, skip := range []bool{false, true} {
		status, out, stderr := runCommand(t, nil, "check", "-prices", dir, "-format", "json",
			fmt.Sprintf("-skip-bad=%v", skip))
		require.Equal(t, skip, status == 0, stderr)
		require.NoError(t, json.Unmarshal([]byte(out), &report))
		require.Len(t, report.Faults, 2, out)
		require.Equal(t, filepath.Join(dir, "ONE.csv"), report.Faults[0].File)
		require.Equal(t, filepath.Join(dir, "TWO.csv"), report.Faults[1].File)
		require.Equal(t, skip, len(report.Tickers) == 1, out)
	}
	_, out, _ := runCommand(t, nil, "check", "-prices", dir, "-skip-bad")
	require.Contains(t, out, "note: 2 faulty files left out")
	require.Contains(t, out, "notes.txt is not read")
	status, _, stderr := runCommand(t, nil, "predict", "-prices", dir, "-skip-bad", "ACME")
	require.Equal(t, 0, status, stderr)

	p := startUnready(t, "-prices", dir)
	require.Equal(t, 1, p.waitExit(t, 20*time.Second))
	p = start(t, "-prices", dir, "-skip-bad")
	eventually(t, 20*time.Second, func() bool {
		log := p.logged()
		return strings.Contains(log, "faulty prices left out") &&
			strings.Contains(log, "TWO.csv") && strings.Contains(log, "notes.txt")
	})
}

// TestPredictSaysHowOldPricesAre wants one line on stderr, unless a day was asked for.
func TestPredictSaysHowOldPricesAre(t *testing.T) {
	path := filepath.Join(t.TempDir(), "prices.csv")
	replaceFile(t, path, pricesCSV(100))
	status, out, stderr := runCommand(t, nil, "predict", "-prices", path, "-format", "csv", "ACME")
	require.Equal(t, 0, status, stderr)
	require.True(t, strings.HasPrefix(out, "ticker,"), out)
	require.Regexp(t, `^prices end 2024-06-24, \d+ trading days ago\n$`,
		stderr)
	status, _, stderr = runCommand(t, nil, "predict", "-prices", path, "-as-of", "2024-06-20",
		"ACME")
	require.Equal(t, 0, status, stderr)
	require.Empty(t, stderr)
	text := strings.ReplaceAll(string(pricesCSV(50)), "ACME", "BETA")
	require.NoError(t, os.WriteFile(path, []byte(string(pricesCSV(100))+
		strings.TrimPrefix(text, "date,ticker,close\n")+"2024-06-25,BETA,50\n"), 0o644))
	_, _, stderr = runCommand(t, nil, "predict", "-prices", path, "all")
	require.Contains(t, stderr, "prices end from 2024-06-24 to 2024-06-25, up to ")
	require.NotContains(t, stderr, "embedded")
	_, _, stderr = runCommand(t, nil, "predict", "AAPL")
	require.Regexp(t, `^prices end 2026-02-18, \d+ trading days ago; the embedded ones are frozen: `+
		`use newer ones with -prices FILE\n$`, stderr)
}
