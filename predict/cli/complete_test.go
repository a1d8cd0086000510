package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fits returns the words that complete the last one of a command line.
func fits(t *testing.T, words ...string) (fits []string) {
	t.Helper()
	status, out, stderr := runCommand(t, nil, append([]string{"__complete"}, words...)...)
	require.Equal(t, 0, status)
	require.Empty(t, stderr)
	for line := range strings.Lines(out) {
		word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		fits = append(fits, word)
	}
	return fits
}

func TestComplete(t *testing.T) {
	prices := twoTickers(t, 40)
	for _, tt := range []struct{ line, want string }{
		{"ev", "evaluate"},
		{"help ", "serve predict check train evaluate healthcheck openapi manifests completion version"},
		{"help ev", "evaluate"},
		{"completion ", "bash zsh fish"},
		{"completion z", "zsh"},
		{"predict -form", "-format"},
		{"predict --form", "--format"},
		{"--ad", "--addr --admin-addr --admin-token-file"},
		{"predict -format ", "table json csv answer"},
		{"predict -format=j", "json"},
		{"predict -format = j", "json"}, // as bash cuts it
		{"predict -format = ", "table json csv answer"},
		{"evaluate -format s", "scores"},
		{"check -format ", "table json sum"},
		{"predict -prices ", ":files"},
		{"predict --prices=x", ":files"},
		{"serve -api-keys ", ":files"},
		{"serve -addr ", ""},
		{"serve -docs ", "open key off"},
		{"-docs k", "key"}, // of serve, the default
		{"serve -access-log ", "off all 1/100"},
		{"serve -h2c=", "true false"},
		{"serve -h2c -tls-k", "-tls-key"},
		{"evaluate -against e", "embedded :files"},
		{"evaluate -calendar XLO", "XLON"},
		{"predict AAP", "AAPL"},
		{"predict -days 3 aap", "AAPL"},
		{"predict AAPL AAP", ""},
		{"predict al", "all ALB ALGN ALL ALLE"},
		{"predict -prices " + prices + " ", "all ACME BETA"},
		{"predict -prices=" + prices + " B", "BETA"},
		{"predict -prices no/such.csv A", "all"},
		{"train -o", "-out"},
		{"nosuch ", ""},
		{"nosuch -", ""},
	} {
		require.Equal(t, strings.Fields(tt.want), append([]string{},
			fits(t, strings.Split(tt.line, " ")...)...), tt.line)
	}
	require.Greater(t, len(fits(t, "-")), 30, "flags of serve")
	require.Equal(t, []string{"serve", "help"}, []string{fits(t, "")[0], fits(t, "")[10]})
	require.Empty(t, fits(t))
}

// TestOfferedValues wants each value that completion offers to be one that the command takes.
func TestOfferedValues(t *testing.T) {
	prices := twoTickers(t, 120)
	for _, args := range [][]string{{"predict", "-prices", prices, "ACME", "-format"},
		{"check", "-prices", prices, "-format"},
		{"evaluate", "-prices", prices, "-from", "2024-03-18", "-garch=false", "-format"},
		{"check", "-prices", prices, "-calendar"}} {
		for _, value := range fits(t, args[0], args[len(args)-1], "") {
			status, _, stderr := runCommand(t, nil, append(args, value)...)
			require.NotEqual(t, 2, status, stderr)
		}
	}
	keys := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(keys, []byte(strings.Repeat("0", 64)+" none\n"), 0o600))
	for _, flag := range []string{"-access-log", "-docs"} {
		for _, value := range fits(t, "serve", flag, "") {
			status, _, stderr := runCommand(t, nil, "serve", "-addr", "nowhere", "-api-keys", keys,
				flag, value)
			require.Equal(t, 1, status, stderr)
		}
	}
}

// TestCompleteFromAHostileFile wants no ticker offered that a shell would obey.
func TestCompleteFromAHostileFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.csv")
	text := string(pricesCSV(100))
	for _, name := range []string{"$(touch x)", "`id`", "a b", "it's"} {
		text += strings.TrimPrefix(strings.ReplaceAll(string(pricesCSV(5)), "ACME", name),
			"date,ticker,close\n")
	}
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	require.Equal(t, []string{"all", "ACME"}, fits(t, "predict", "-prices", path, ""))
}
