package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnnounceOnATerminal(t *testing.T) {
	w, err := source{}.load(0)
	require.NoError(t, err)
	var out strings.Builder
	announceTo(&out, "[::]:8080", "127.0.0.1:9090", w, 7)
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	require.Len(t, lines, 3)
	require.Contains(t, lines[0], "http://localhost:8080/predict")
	require.Contains(t, lines[0], "http://127.0.0.1:9090/metrics")
	require.Contains(t, lines[1], w.model.Version())
	require.Contains(t, lines[2], w.market.AsOf().String()+", 7 trading days ago")
}

func TestBrowsable(t *testing.T) {
	for addr, want := range map[string]string{
		"[::]:80":        "http://localhost:80",
		"0.0.0.0:80":     "http://localhost:80",
		"127.0.0.1:8080": "http://127.0.0.1:8080",
		"[::1]:8080":     "http://[::1]:8080",
	} {
		if got := browsable(addr); got != want {
			t.Errorf("browsable(%q) = %q, want %q", addr, got, want)
		}
	}
}

func TestUnaskableTickers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "prices.csv")
	long := strings.ReplaceAll(string(pricesCSV(100)), "ACME", "RELIANCE.NS")
	require.NoError(t,
		os.WriteFile(path, []byte(long+strings.SplitN(string(pricesCSV(50)), "\n", 2)[1]), 0o644))
	w, err := source{prices: path}.load(0)
	require.NoError(t, err)
	require.Equal(t, 1, w.unaskable())
}
