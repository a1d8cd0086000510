package server_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPageDrawsRealForecasts loads the page of a whole server in a browser. Package docs tests what
// the page can do, against the document; this is the proof that the server agrees.
func TestPageDrawsRealForecasts(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes seconds to start")
	}
	var browser string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome",
		"google-chrome-stable", "chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			browser = p
			break
		}
	}
	if browser == "" {
		t.Skip("no Chromium in PATH: the page is not tested in a real browser")
	}
	// not t.TempDir, which fails if a child of the browser still writes
	profile, err := os.MkdirTemp("", "tickercast-page")
	require.NoError(t, err)
	defer os.RemoveAll(profile)
	r := start(t, loopback(), nil)
	cmd := exec.CommandContext(t.Context(), browser,
		"--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
		"--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--user-data-dir="+profile,
		"--virtual-time-budget=20000", "--dump-dom",
		"http://"+r.public.addr+"/docs?t=AAPL,msft&d=5&c=0.9&o=2026-01-15")
	out, err := cmd.Output()
	require.NoError(t, err)
	dom := string(out)
	require.Contains(t, dom, `data-ready="true"`)
	require.Equal(t, 2, strings.Count(dom, `class="median"`), "a line for each ticker")
	require.Equal(t, 2*5, strings.Count(dom, `<tr><th scope="row">AAPL</th>`)+strings.Count(dom,
		`<tr><th scope="row">MSFT</th>`), "a row for each day")
	require.Contains(t, dom, "of 10</strong> closes that came were inside", "of an earlier day")
	require.Equal(t, len(document(t)), strings.Count(dom, `<details class="route`),
		"a fold for each route")
	require.Regexp(t, `id="trouble"[^>]* hidden=""`, dom)
	require.Contains(t, dom, "tickers, prices to")
}
