package cli_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what the README's commands print into the README")

const readme = "../../README.md"

// TestReadme runs every command of the README's console blocks, in order, and wants what stands
// below it: curl against a server that it starts, tickercast as itself. The other lines that a
// reader can paste (go run, go test, go generate) are what .ci/run and the rest of the tests run.
func TestReadme(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the README has the figures of amd64; elsewhere fused multiplication rounds otherwise")
	}
	for _, tool := range []string{"bash", "curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	exe, err := os.Executable()
	require.NoError(t, err)
	p := start(t)
	dir := t.TempDir()
	require.NoError(t, os.Symlink(exe, dir+"/tickercast"))
	docs, err := filepath.Abs("../../docs")
	require.NoError(t, err)
	require.NoError(t, os.Symlink(docs, dir+"/docs"))

	run := func(command string) string {
		command = strings.ReplaceAll(command, "localhost:8080", p.addr)
		command = strings.ReplaceAll(command, "localhost:9090", p.admin)
		cmd := exec.CommandContext(t.Context(), "bash", "-c", command)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "BE_TICKERCAST=1", "PATH="+dir+":"+os.Getenv("PATH"))
		var errs bytes.Buffer // has the age of the prices, which is another each day
		cmd.Stderr = &errs
		out, err := cmd.Output()
		require.NoError(t, err, "%s\n%s", command, &errs)
		if len(out) > 0 && !bytes.HasSuffix(out, []byte("\n")) {
			out = append(out, '\n')
		}
		return string(out)
	}

	old, err := os.ReadFile(readme)
	require.NoError(t, err)
	fresh, commands := replay(string(old), run)
	require.NotZero(t, commands, "no console block")
	if *update {
		require.NoError(t, os.WriteFile(readme, []byte(fresh), 0o644))
	} else {
		require.Equal(t, fresh, string(old),
			"go test -run Readme ./predict/cli -update writes what is true now")
	}
}

// replay returns text with what run returns below each "$ command" of its console blocks, and how
// many there were. A line that ends in a backslash goes on.
func replay(text string, run func(string) string) (string, int) {
	var out strings.Builder
	commands, inside := 0, false
	lines := strings.SplitAfter(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case line == "```console\n":
			inside = true
		case line == "```\n":
			inside = false
		case inside && !strings.HasPrefix(line, "$ "):
			continue // what it printed last time
		}
		out.WriteString(line)
		if !inside || !strings.HasPrefix(line, "$ ") {
			continue
		}
		command := line[len("$ "):]
		for strings.HasSuffix(command, "\\\n") && i+1 < len(lines) {
			i++
			out.WriteString(lines[i])
			command += lines[i]
		}
		commands++
		out.WriteString(run(command))
	}
	return out.String(), commands
}

func TestReplay(t *testing.T) {
	const text = "a\n```console\n$ one\nold\n$ two \\\n  more\n```\n$ not a " +
		"command\n```\ncode\n```\n"
	var ran []string
	got, n := replay(text, func(c string) string { ran = append(ran, c); return "new\n" })
	want := "a\n```console\n$ one\nnew\n$ two \\\n  more\nnew\n```\n$ not a " +
		"command\n```\ncode\n```\n"
	require.Equal(t, want, got)
	require.Equal(t, 2, n)
	require.Equal(t, []string{"one\n", "two \\\n  more\n"}, ran)
}

// TestGuide runs the curl commands of the guide. Each must get an answer of 200.
func TestGuide(t *testing.T) {
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	text, err := os.ReadFile("../../docs/guide.md")
	require.NoError(t, err)
	p := start(t)
	commands := regexp.MustCompile(`(?m)^    curl (?:.*\\\n)*.*$`).FindAllString(string(text), -1)
	require.GreaterOrEqual(t, len(commands), 3)
	for _, command := range commands {
		command = strings.Replace(command, "curl", "curl -sSf", 1)
		command = strings.ReplaceAll(command, "localhost:8080", p.addr)
		out, err := exec.CommandContext(t.Context(), "bash", "-c", command).CombinedOutput()
		require.NoError(t, err, "%s\n%s", command, out)
		require.Contains(t, string(out), "predicted_price")
	}
}

// TestSamplePrices wants the sample to be what the embedded prices are, and to be enough for a
// forecast.
func TestSamplePrices(t *testing.T) {
	const path = "../../docs/sample-prices.csv"
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	require.Equal(t, "date,ticker,close", lines[0])
	require.Len(t, lines, 301)
	p := start(t)
	for _, ticker := range []string{"AAPL", "KO", "NVDA"} {
		_, body := get(t, "http://"+p.addr+"/tickers/"+ticker)
		for _, line := range lines[1:] {
			if f := strings.Split(line, ","); f[1] == ticker {
				require.Contains(t, body, `{"date":"`+f[0]+`","close":`+f[2]+`}`)
			}
		}
	}
	status, out, stderr := runCommand(t, nil, "predict", "-prices", path, "-days", "1", "all")
	require.Equal(t, 0, status, stderr)
	require.Equal(t, 4, strings.Count(out, "\n"))
}
