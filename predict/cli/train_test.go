package cli_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tickercast/model"
	"tickercast/model/calendar"
)

// tailsCSV has 25 tickers of constant volatility over 800 days. Their moves are bounded at first,
// and mostly small with jumps from a day on.
func tailsCSV(t *testing.T, from int) string {
	t.Helper()
	rnd := rand.New(rand.NewPCG(4, 0))
	b := []byte("date,ticker,close\n")
	for _, ticker := range numbered(25) {
		day, price := calendar.Of(2018, 1, 2), 100.0
		for i := range 800 {
			move := 0.026 * (2*rnd.Float64() - 1)
			if i >= from && rnd.Float64() < 0.08 {
				move *= 3
			} else if i >= from {
				move *= 0.4
			}
			price *= math.Exp(move)
			b = fmt.Appendf(b, "%s,%s,%.4f\n", day, ticker, price)
			day = calendar.Default().Next(day, 1)
		}
	}
	path := filepath.Join(t.TempDir(), "prices.csv")
	require.NoError(t, os.WriteFile(path, b, 0o644))
	return path
}

// TestTrainFromBase writes better weights and serves them. When there are none to write, it keeps
// the file as it was.
func TestTrainFromBase(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("fits two models")
	}
	prices, out := tailsCSV(t, 800), filepath.Join(t.TempDir(), "my.bin")
	status, _, stderr := runCommand(t, nil, "train", "-prices", prices, "-base", "embedded", "-out",
		out)
	require.Equal(t, 0, status, stderr)
	require.Regexp(t, `loss lower than that of \S+ by \d+\.\d+ % \(standard error \d`, stderr)
	before, err := os.ReadFile(out)
	require.NoError(t, err)
	m, err := model.Parse(before)
	require.NoError(t, err)
	status, mine, stderr := runCommand(t, nil, "predict", "-prices", prices, "-weights", out, "T07")
	require.Equal(t, 0, status, stderr)
	status, others, stderr := runCommand(t, nil, "predict", "-prices", prices, "T07")
	require.Equal(t, 0, status, stderr)
	require.NotEqual(t, others, mine)

	status, _, stderr = runCommand(t, nil, "train", "-prices", tailsCSV(t, 600), "-base", out,
		"-out", out)
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "not better than")
	require.Contains(t, stderr, m.Version())
	after, err := os.ReadFile(out)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func TestTrainSaysWhatIsWrongWithTheBase(t *testing.T) {
	prices := twoTickers(t, 120)
	bad := filepath.Join(t.TempDir(), "bad.bin")
	require.NoError(t, os.WriteFile(bad, []byte("no weights"), 0o644))
	for base, want := range map[string]string{
		"nosuch.bin": "nosuch.bin", bad: "no model file", "embedded": "too few"} {
		out := filepath.Join(t.TempDir(), "weights.bin")
		status, _, stderr := runCommand(t, nil, "train", "-prices", prices, "-base", base, "-out",
			out)
		require.Equal(t, 1, status)
		require.Contains(t, stderr, want)
		require.NoFileExists(t, out)
	}
}
