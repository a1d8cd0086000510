package cli_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTable wants a line a day of one ticker, and a line a ticker of several, each ticker once.
func TestTable(t *testing.T) {
	path := twoTickers(t, 120)
	args := []string{"predict", "-prices", path, "-days", "2", "-confidence", "0.8,0.95"}
	status, got, stderr := runCommand(t, nil, append(args, "ACME", "acme")...)
	require.Equal(t, 0, status, stderr)
	require.Regexp(t, `^ACME  [\d.]+ on 2024-06-24\n`+
		` +date +days +predicted +80 % within +95 % within\n`+
		` +2024-06-25 +1 +[\d.]+ +[\d.]+ - [\d.]+ +[\d.]+ - [\d.]+\n`+
		` +2024-06-26 +2 +[\d.]+ +[\d.]+ - [\d.]+ +[\d.]+ - [\d.]+\n$`, got)
	for _, tickers := range [][]string{{"all"}, {"ACME", "all"}, {"ACME", "BETA", "ACME", "beta"}} {
		status, got, stderr = runCommand(t, nil, append(args, tickers...)...)
		require.Equal(t, 0, status, stderr)
		require.Regexp(t, `^ticker +close +on +date +days +predicted +80 % within +95 % within\n`+
			`ACME +[\d.]+  2024-06-24  2024-06-26 +2 +[\d.]+ +[\d.]+ - [\d.]+ +[\d.]+ - [\d.]+\n`+
			`BETA +[\d.]+  2024-06-24  2024-06-26 +2 +[\d.]+ +[\d.]+ - [\d.]+ +[\d.]+ - [\d.]+\n$`,
			got)
	}
	_, got, _ = runCommand(t, nil, "predict", "-days", "1", "all")
	require.Equal(t, 1+503, strings.Count(got, "\n"))
	_, csv, _ := runCommand(t, nil, append(args, "-format", "csv", "ACME", "ACME")...)
	require.Equal(t, 1+2*2, strings.Count(csv, "\n"), "each ticker once in CSV too")
}

// TestTableOfAPriceNearOne wants the bounds, the close and the median with as many decimals as tell
// the bounds apart.
func TestTableOfAPriceNearOne(t *testing.T) {
	path := t.TempDir() + "/prices.csv"
	replaceFile(t, path, pricesCSV(1))
	status, got, stderr := runCommand(t, nil, "predict", "-prices", path, "-days", "1", "ACME")
	require.Equal(t, 0, status, stderr)
	m := regexp.MustCompile(`1 +([\d.]+) +([\d.]+) - ([\d.]+)\n$`).FindStringSubmatch(got)
	require.NotNil(t, m, got)
	require.Len(t, m[2], len(m[1]), got)
	require.Len(t, m[3], len(m[1]), got)
	require.GreaterOrEqual(t, len(m[1]), len("1.234"), got)
	require.NotEqual(t, m[2], m[3], got)
}
