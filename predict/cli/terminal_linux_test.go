package cli_test

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// serveOnTerminal starts serve on a terminal and waits for its last line of the start.
func serveOnTerminal(t *testing.T, edit func(*exec.Cmd), flags ...string) (c *console, url string) {
	t.Helper()
	cmd := newProcess(executable(t), flags).Cmd
	cmd.Env = append(cmd.Env, "TERM=xterm", "NO_COLOR=")
	if edit != nil {
		edit(cmd)
	}
	c = onTerminal(t, cmd)
	c.await(t, "Ctrl-C ends the server\n")
	m := regexp.MustCompile(`(?m)(?:^|K)open (http://[^/\s]+)/docs$`).FindStringSubmatch(c.text())
	require.NotNil(t, m, c.text())
	return c, m[1]
}

// end interrupts the process as Ctrl-C does and returns all that the terminal showed.
func (c *console) end(t *testing.T) string {
	t.Helper()
	require.NoError(t, c.Process.Signal(syscall.SIGINT))
	require.NoError(t, c.Wait())
	select {
	case <-c.ended:
	case <-time.After(2 * time.Minute):
		t.Fatal("the terminal is still open")
	}
	return c.text()
}

// TestTerminal wants lines to read where a person reads them: one URL a line at the start, then a
// line for each request.
func TestTerminal(t *testing.T) {
	c, url := serveOnTerminal(t, nil)
	for line := range strings.Lines(c.text()) {
		require.LessOrEqual(t, strings.Count(line, "://"), 1, line)
		require.LessOrEqual(t, len(line), 110, line)
	}
	resp, _ := ask(t, "POST", url+"/predict", aForecast)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	ask(t, "POST", url+"/predict", aForecast)
	ask(t, "GET", url+"/no%0d%0a%1b[31mwhere", "")
	text := c.end(t)
	require.Regexp(t, `\n\d\d:\d\d:\d\d 200 POST /predict [\d.]+(us|ms|s)\n`, text)
	require.Regexp(t, `\n\d\d:\d\d:\d\d \x1b\[33m404\x1b\[0m GET "/no\\r\\n\\x1b\[31mwhere" `, text)
	require.Regexp(t, `\n\d\d:\d\d:\d\d draining delay=`, text)
	require.NotContains(t, text, "{")
}

// TestTerminalWithoutColours wants no escape sequence where its owner wants none.
func TestTerminalWithoutColours(t *testing.T) {
	c, url := serveOnTerminal(t, func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, "NO_COLOR=1") })
	ask(t, "GET", url+"/nowhere", "")
	require.NotContains(t, c.end(t), "\x1b[3")
}

// TestFlood wants some lines a second, and how many there were besides.
func TestFlood(t *testing.T) {
	c, url := serveOnTerminal(t, nil)
	const asked = 300
	start := time.Now()
	for range asked {
		ask(t, "GET", url+"/health", "", "Content-Type: text/plain")
		ask(t, "POST", url+"/predict", aForecast)
	}
	seconds := int(time.Since(start)/time.Second) + 2 // begun ones, at both ends
	text := c.end(t)
	shown := strings.Count(text, " POST /predict ")
	require.LessOrEqual(t, shown, 20*seconds)
	require.GreaterOrEqual(t, shown, 20)
	require.NotContains(t, text, "/health")
}

// TestHalfATerminal wants JSON on whichever of stdout and stderr is no terminal, as where one is
// piped to a program.
func TestHalfATerminal(t *testing.T) {
	out, err := os.Create(filepath.Join(t.TempDir(), "access"))
	require.NoError(t, err)
	defer out.Close()
	c, url := serveOnTerminal(t, func(cmd *exec.Cmd) { cmd.Stdout = out }, "-access-log", "all")
	ask(t, "POST", url+"/predict", aForecast)
	require.NotContains(t, c.end(t), "POST")
	logged, err := os.ReadFile(out.Name())
	require.NoError(t, err)
	var line struct {
		Msg, Path string
		Status    int
	}
	require.NoError(t, json.Unmarshal(logged, &line), "%q", logged)
	require.Equal(t, "/predict", line.Path)
}

// TestProgress wants a line that says how far reading long prices has come, and that goes away.
func TestProgress(t *testing.T) {
	if testing.Short() {
		t.Skip("long prices")
	}
	path := filepath.Join(t.TempDir(), "prices.csv")
	writeLongPrices(t, path)
	c, _ := serveOnTerminal(t, nil, "-prices", path)
	require.Regexp(t, `\r\x1b\[Kreading prices, [\d,]+ closes`, c.text())
	require.Regexp(t, `\r\x1b\[Kopen http`, c.end(t), "the line is clear when the server is ready")
	cmd := exec.Command(executable(t), "evaluate", "-prices", path, "-from", "2020-01-01",
		"-garch=false", "-every", "50")
	cmd.Env = environment()
	c = onTerminal(t, cmd)
	require.NoError(t, c.Wait())
	<-c.ended
	require.Regexp(t, `\r\x1b\[Kevaluating +\d+ %, \d+s left`, c.text())
	require.Regexp(t, `\r\x1b\[Kmodel `, c.text(), "the line is clear when the result is there")
}
