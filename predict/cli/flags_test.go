package cli_test

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tickercast/predict/cli"
)

// runCommand runs one command line in process.
func runCommand(t *testing.T, env map[string]string, args ...string) (status int, stdout,
	stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = runWith(context.Background(), env, &out, &errs, args...)
	return status, out.String(), errs.String()
}

func runWith(ctx context.Context, env map[string]string, stdout, stderr io.Writer,
	args ...string) (status int) {
	var environ []string
	for name, value := range env {
		environ = append(environ, name+"="+value)
	}
	return cli.Main(ctx, append([]string{"tickercast"}, args...), environ, stdout, stderr)
}

func TestBadCommandLines(t *testing.T) {
	for _, tt := range []struct {
		name   string
		args   []string
		env    map[string]string
		status int
		want   string // in stderr
	}{
		{"unknown command", []string{"srve"}, nil, 2,
			`unknown command "srve", did you mean "serve"?`},
		{"unknown flag", []string{"serve", "-adr", ":1"}, nil, 2, `-adr, did you mean "-addr"?`},
		{"unknown flag of the default command", []string{"-nosuchflag"}, nil, 2, "-nosuchflag"},
		{"argument where none goes", []string{"version", "now"}, nil, 2,
			`unexpected argument "now"`},
		{"bad variable", []string{"serve"}, map[string]string{"TICKERCAST_DRAIN_DELAY": "soon"}, 2,
			`TICKERCAST_DRAIN_DELAY="soon"`},
		{"negative number", []string{"serve", "-max-conns", "-1"}, nil, 2,
			"-max-conns -1 is below zero"},
		{"no time", []string{"serve", "-read-timeout", "0"}, nil, 2, "-read-timeout 0s is not above zero"},
		{"a word for a switch", []string{"serve"}, map[string]string{"TICKERCAST_H2C": "yes"}, 2,
			`TICKERCAST_H2C="yes": a switch is true or false`},
		{"a unit on a number", []string{"serve"},
			map[string]string{"TICKERCAST_CACHE_BYTES": "64MiB"}, 2,
			`TICKERCAST_CACHE_BYTES="64MiB": a whole number in digits is wanted`},
		{"the same in a flag", []string{"serve", "-cache-entries", "99999999999999999999"}, nil, 2,
			`"99999999999999999999" for flag -cache-entries: a whole number in digits is wanted`},
		{"a word for a number", []string{"predict", "-days", "five", "AAPL"}, nil, 2,
			`"five" for flag -days: a whole number in digits is wanted`},
		{"PORT", []string{"serve"}, map[string]string{"PORT": "http"}, 2, `PORT="http": a port`},
		{"socket mode", []string{"serve", "-socket-mode", "rw"}, nil, 2,
			"-socket-mode: a mode has octal digits"},
		{"a descriptor of no socket", []string{"serve", "-addr", "fd:1000"}, nil, 1, `"fd:1000"`},
		{"a name too long", []string{"serve", "-health-socket", strings.Repeat("x", 108)}, nil, 2,
			"-health-socket has 108 bytes"},
		{"burst without a limit", []string{"serve", "-addr", "nowhere"},
			map[string]string{"TICKERCAST_RATE_BURST": "5"}, 2,
			"-rate-burst needs -rate-limit"},
		{"a ticker for a command", []string{"AAPL"}, nil, 2,
			`unknown command "AAPL", did you mean "predict AAPL"?`},
		{"one in lower case", []string{"brk.b"}, nil, 2, `did you mean "predict brk.b"?`},
		{"one that is not embedded", []string{"^GSPC"}, nil, 2, `did you mean "predict ^GSPC"?`},
		{"prices for a command", []string{"cli.go"}, nil, 2, `did you mean "serve -prices cli.go"?`},
		{"a URL for a command", []string{"https://host/p.csv"}, nil, 2,
			`did you mean "serve -prices https://host/p.csv"?`},
		{"an address for a command", []string{":8081"}, nil, 2, `did you mean "serve -addr :8081"?`},
		{"what is nothing", []string{"no such thing"}, nil, 2,
			`unknown command "no such thing"; see tickercast help`},
		{"a port without a colon", []string{"-addr", "18399"}, nil, 2,
			`-addr "18399" is a port without a colon, did you mean ":18399"?`},
		{"the same of the admin port", []string{"serve"},
			map[string]string{"TICKERCAST_ADMIN_ADDR": "9090"}, 2, `did you mean ":9090"?`},
		{"the same of a health check", []string{"healthcheck", "-addr", "8080"}, nil, 2,
			`did you mean ":8080"?`},
		{"tickers with commas", []string{"predict", "AAPL,MSFT"}, nil, 1,
			`unknown ticker "AAPL,MSFT": name several with blanks in between`},
		{"a picture of another kind", []string{"evaluate", "-plot", "x.png"}, nil, 2,
			`-plot "x.png": the picture is SVG`},
		{"a folder that is missing", []string{"evaluate", "-plot", "no/such/x.svg"}, nil, 1,
			`writing "no/such/x.svg": there is no folder "no/such"`},
		{"a format that is nearly one", []string{"predict", "-format", "jsn", "AAPL"}, nil, 2,
			`did you mean "json"?`},
		{"evaluate after all prices", []string{"evaluate", "-from", "2030-01-01"}, nil, 1,
			"none from -from 2030-01-01 on"},
		{"evaluate before the default", []string{"evaluate", "-to", "2025-01-02"}, nil, 1,
			"so -to 2025-01-02 leaves none: set -from too"},
		{"negative time", nil, map[string]string{"TICKERCAST_TIMEOUT": "-1s"}, 2,
			"-timeout -1s is below zero"},
		{"time without a unit", []string{"serve", "-timeout", "5"}, nil, 2,
			`invalid value "5" for flag -timeout: a time needs a number and a unit, as in 5s`},
		{"the same in a variable", []string{"healthcheck"},
			map[string]string{"TICKERCAST_TIMEOUT": "5"}, 2,
			`TICKERCAST_TIMEOUT="5": a time needs a number and a unit, as in 5s`},
		{"no ticker", []string{"predict"}, nil, 2, "no ticker"},
		{"days", []string{"predict", "-days", "31", "AAPL"}, nil, 2,
			"-days 31 is not within 1 to 30"},
		{"confidence", []string{"predict", "-confidence", "0.8,1", "AAPL"}, nil, 2,
			`-confidence "1"`},
		{"confidence not a number", []string{"predict", "-confidence", "NaN", "AAPL"}, nil, 2,
			`-confidence "NaN"`},
		{"format", []string{"predict", "-format", "xml", "AAPL"}, nil, 2, `-format "xml"`},
		{"as of", []string{"predict", "-as-of", "2022-02-30", "AAPL"}, nil, 2, "2022-02-30"},
		{"as of before all prices", []string{"predict", "-as-of", "1990-01-02", "AAPL"}, nil, 1,
			"prices embedded up to 1990-01-02: no ticker has 30 closes; they begin on 2024-12-05"},
		{"unknown ticker", []string{"predict", "AAPLE"}, nil, 1,
			`unknown ticker "AAPLE", did you mean "AAPL"?`},
		{"no such file", []string{"predict", "-prices", "no/such.csv", "AAPL"}, nil, 1,
			"no/such.csv"},
		{"no such weights", []string{"predict", "-weights", "no/such.bin", "AAPL"}, nil, 1,
			"no/such.bin"},
		{"weights that are none", []string{"predict", "-weights", "cli.go", "AAPL"}, nil, 1,
			`weights "cli.go"`},
		{"train without prices", []string{"train"}, nil, 2, "-prices"},
		{"help on nothing", []string{"help", "nothing"}, nil, 2, `unknown command "nothing"`},
		{"no server listens", []string{"healthcheck", "-addr", "127.0.0.1:1"}, nil, 1, "127.0.0.1:1"},
		{"address", []string{"healthcheck", "-addr", "nonsense"}, nil, 2, `-addr "nonsense"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, stdout, stderr := runCommand(t, tt.env, tt.args...)
			if status != tt.status || !strings.Contains(stderr, tt.want) {
				t.Errorf("exit status %d, stderr %q; want %d and %q", status, stderr, tt.status,
					tt.want)
			}
			if strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "tickercast") {
				t.Errorf("stderr %q; want one line that begins with the program's name", stderr)
			}
			if stdout != "" {
				t.Errorf("stdout %q; want nothing", stdout)
			}
		})
	}
}

// TestEmptyVariables gives every variable of a command the empty value that compose files pass on
// for variables that are not set.
func TestEmptyVariables(t *testing.T) {
	status, _, want := runCommand(t, nil, "serve", "-addr", "nowhere")
	require.Equal(t, 1, status)
	_, help, _ := runCommand(t, nil, "help", "serve")
	env := map[string]string{}
	for _, flag := range regexp.MustCompile(`(?m)^  -([a-z0-9-]+)`).FindAllStringSubmatch(help,
		-1) {
		env["TICKERCAST_"+strings.ToUpper(strings.ReplaceAll(flag[1], "-", "_"))] = ""
	}
	require.Greater(t, len(env), 25, help)
	require.Contains(t, env, "TICKERCAST_DRAIN_DELAY")
	again, _, stderr := runCommand(t, env, "serve", "-addr", "nowhere")
	require.Equal(t, status, again)
	require.Equal(t, want, stderr)
}

func TestHelp(t *testing.T) {
	_, list, _ := runCommand(t, nil, "help")
	commands := regexp.MustCompile(`(?m)^  (\w+) `).FindAllStringSubmatch(list, -1)
	require.Len(t, commands, 11, list)
	for _, c := range commands {
		name := c[1]
		if name == "help" {
			continue
		}
		status, one, stderr := runCommand(t, nil, "help", name)
		if status != 0 || stderr != "" || !strings.HasPrefix(one, "Usage: tickercast "+name) {
			t.Errorf("help %s: exit status %d, %q, stderr %q", name, status, one, stderr)
		}
		if _, h, _ := runCommand(t, nil, name, "-h"); h != one {
			t.Errorf("%s -h differs from help %s:\n%s\n%s", name, name, h, one)
		}
	}
}
