package cli_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// twoTickers is the wide form of pricesCSV, cut after some rows.
func twoTickers(t *testing.T, rows int) string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(string(pricesCSV(100))), "\n")[1:]
	var b strings.Builder
	b.WriteString("date,ACME,BETA\n")
	for i, line := range lines[:rows] {
		f := strings.Split(line, ",")
		c, err := strconv.ParseFloat(f[2], 64)
		require.NoError(t, err)
		fmt.Fprintf(&b, "%s,%s,%.4f\n", f[0], f[2], c/3+float64(i)/50)
	}
	path := filepath.Join(t.TempDir(), "prices.csv")
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o644))
	return path
}

func TestPredictCSV(t *testing.T) {
	path := twoTickers(t, 120)
	status, out, stderr := runCommand(t, nil, "predict", "-prices", path, "-days", "30",
		"-confidence", "0.8,0.95", "-format", "csv", "all")
	require.Equal(t, 0, status, stderr)
	records, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	require.NoError(t, err)
	require.Equal(t,
		"ticker,as_of,date,days_ahead,confidence,predicted_price,confidence_lower,confidence_upper",
		strings.Join(records[0], ","))
	records = records[1:]
	require.Len(t, records, 2*30*2)
	number := func(s string) float64 {
		f, err := strconv.ParseFloat(s, 64)
		require.NoError(t, err)
		return f
	}
	for i, r := range records {
		require.Equal(t, []string{"ACME", "BETA"}[i/60], r[0])
		require.Equal(t, "2024-06-24", r[1])
		require.Equal(t, strconv.Itoa(1+i/2%30), r[3])
		require.Equal(t, []string{"0.8", "0.95"}[i%2], r[4])
		price, lower, upper := number(r[5]), number(r[6]), number(r[7])
		require.Less(t, lower, price)
		require.Less(t, price, upper)
		if i%2 == 1 { // 0.95 after 0.8 of the same day
			require.Less(t, lower, number(records[i-1][6]))
			require.Greater(t, upper, number(records[i-1][7]))
		}
	}
}

func TestShortTicker(t *testing.T) {
	path := filepath.Join(t.TempDir(), "prices.csv")
	long, err := os.ReadFile(twoTickers(t, 40))
	require.NoError(t, err)
	lines := strings.SplitAfter(string(long), "\n")
	for i := 1; i < 25; i++ { // BETA begins later
		lines[i] = lines[i][:strings.LastIndex(lines[i], ",")] + ",\n"
	}
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "")), 0o644))
	status, _, stderr := runCommand(t, nil, "predict", "-prices", path, "BETA")
	require.Equal(t, 1, status)
	require.Contains(t, stderr, `ticker "BETA" has 16 closes up to 2024-02-28, a forecast needs 30`)
}

// TestAsOfUsesNothingLater wants the same bytes from a file that ends on a day and from a longer
// one with -as-of that day.
func TestAsOfUsesNothingLater(t *testing.T) {
	args := func(path string, more ...string) []string {
		return append([]string{"predict", "-format", "csv", "-days", "30", "-confidence",
			"0.8,0.9,0.99", "-prices", path}, append(more, "all")...)
	}
	_, short, _ := runCommand(t, nil, args(twoTickers(t, 81))...)
	// the last row is of Friday the 26th; Thursday differs
	for _, day := range []string{"2024-04-25", "2024-04-26", "2024-04-27", "2024-04-28"} {
		status, long, stderr := runCommand(t, nil, args(twoTickers(t, 120), "-as-of", day)...)
		require.Equal(t, 0, status, stderr)
		if day == "2024-04-25" {
			require.NotEqual(t, short, long)
		} else {
			require.Equal(t, short, long, day)
		}
	}
}

func TestPredictFormats(t *testing.T) {
	// flags may follow, case may differ
	_, table, _ := runCommand(t, nil, "predict", "aapl", "-days", "2")
	require.Equal(t, 4, strings.Count(table, "\n"))
	require.Contains(t, table, "AAPL")
	_, js, _ := runCommand(t, nil, "predict", "-format", "json", "-days", "2", "AAPL")
	var rows []struct {
		DaysAhead int `json:"days_ahead"`
	}
	require.NoError(t, json.Unmarshal([]byte(js), &rows))
	require.Len(t, rows, 2)
	require.Equal(t, 2, rows[1].DaysAhead)
	_, all, _ := runCommand(t, nil, "predict", "-format", "csv", "-days", "1", "all")
	require.Greater(t, strings.Count(all, "\n"), 500)
}

func TestVersionAndOpenAPI(t *testing.T) {
	status, out, _ := runCommand(t, nil, "version")
	require.Equal(t, 0, status)
	require.Regexp(t,
		`(?m)^model +\d{4}\.\d\d-[0-9a-f]{8}, trained on \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d$`, out)
	require.Regexp(t, `(?m)^prices +\d+ tickers as of \d{4}-\d\d-\d\d$`, out)
	status, out, _ = runCommand(t, nil, "openapi")
	require.Equal(t, 0, status)
	require.True(t, json.Valid([]byte(out)))
}

// TestBillOfMaterials wants the same bytes each time, and each part once.
func TestBillOfMaterials(t *testing.T) {
	status, out, stderr := runCommand(t, nil, "version", "-sbom")
	require.Equal(t, 0, status, stderr)
	type part struct {
		Ref     string `json:"bom-ref"`
		Name    string
		Version string
		PURL    string
	}
	var b struct {
		Format     string `json:"bomFormat"`
		Metadata   struct{ Component part }
		Components []part
	}
	require.NoError(t, json.Unmarshal([]byte(out), &b))
	require.Equal(t, "CycloneDX", b.Format)
	require.Equal(t, "tickercast", b.Metadata.Component.Name)
	refs := map[string]bool{}
	for _, c := range append(b.Components, b.Metadata.Component) {
		require.Regexp(t, `^pkg:golang/[^@]+@[^@]+$`, c.PURL)
		require.False(t, refs[c.Ref], "%s twice", c.Ref)
		refs[c.Ref] = true
	}
	require.Equal(t, "std", b.Components[0].Name)
	require.Regexp(t, `^1\.\d+`, b.Components[0].Version)
	_, again, _ := runCommand(t, nil, "version", "-sbom")
	require.Equal(t, out, again)
}
