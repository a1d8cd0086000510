package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestShellsComplete presses TAB in real shells. A program named tickercast stands in for this one:
// it completes as this one does, and otherwise says how it was called.
func TestShellsComplete(t *testing.T) {
	if testing.Short() {
		t.Skip("starts shells")
	}
	for shell, setUp := range map[string]struct {
		args   []string
		script string
	}{
		"bash": {[]string{"--norc", "--noprofile", "-i"}, `eval "$(tickercast completion bash)"`},
		"zsh":  {[]string{"-f", "-i"}, `eval "$(tickercast completion zsh)"`},
		"fish": {[]string{"--no-config", "-i"}, `tickercast completion fish | source`},
	} {
		t.Run(shell, func(t *testing.T) {
			path, err := exec.LookPath(shell)
			if err != nil {
				t.Skipf("%s is not installed", shell)
			}
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(dir+"/my prices.csv", pricesCSV(100), 0o600))
			require.NoError(t, os.Mkdir(dir+"/bin", 0o700))
			stand := "#!/bin/sh\ncase $1 in __complete|completion) [ $# -ge 2 ] && [ -z \"$SAY\" ] && exec " +
				executable(t) + ` "$@" ;; esac` + "\nprintf '<<%s>>' \"$*\"\n"
			require.NoError(t, os.WriteFile(filepath.Join(dir, "bin/tickercast"), []byte(stand), 0o700))
			cmd := exec.Command(path, setUp.args...)
			cmd.Dir = dir
			cmd.Env = append(environment(), "PATH="+dir+"/bin:"+os.Getenv("PATH"), "HOME="+dir,
				"TERM=xterm", "PS1=ready> ", "ZDOTDIR="+dir, "INPUTRC=/dev/null",
				"XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir)
			c := onTerminal(t, cmd)
			c.keys(t, setUp.script+"; echo in''stalled\n")
			c.await(t, "installed")
			for _, tt := range []struct{ keys, want string }{
				{"eval\t-form\tsc\t-garch=false", "evaluate -format scores -garch=false"},
				{"predict --form\tc\tAAPL", "predict --format csv AAPL"},
				{"predict MSF\t", "predict MSFT"},
				{"help healthc\t", "help healthcheck"},
				{"check -prices my\t", "check -prices my prices.csv"},
				{"check -format=j\t", "check -format=json"},
			} {
				c.keys(t, "tickercast "+tt.keys+"\n")
				c.await(t, "<<"+tt.want)
			}
			// Where several fit, it lists them with what they mean.
			c.keys(t, "tickercast predict -c\t\t")
			c.await(t, "trading calendar")
			if shell != "fish" { // which shortens what it has no room for
				require.Contains(t, strings.Join(strings.Fields(c.text()), " "), "-calibrate")
			}
		})
	}
}
