package server_test

import (
	"net/url"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"tickercast/predict/server"
)

const fromBrowser = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

// TestBrowsersFindThePage opens the root as a browser does, below prefixes that are stripped or
// not.
func TestBrowsersFindThePage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, root := range []string{"", "/api/forecast"} {
			r := start(t, inMemory(), func(c *server.Config) { c.RootPath = root })
			for path, want := range map[string]string{
				"/": "/docs", root + "/": root + "/docs", max(root, "/"): root + "/docs"} {
				for _, method := range []string{"GET", "HEAD"} {
					resp, _ := r.public.ask(t, method, path, "", fromBrowser)
					require.Equal(t, 307, resp.StatusCode, path)
					require.Equal(t, "Accept", resp.Header.Get("Vary"))
					for _, prefix := range []string{"", "/stripped"} {
						base, err := url.Parse("http://host" + prefix + path)
						require.NoError(t, err)
						to, err := base.Parse(resp.Header.Get("Location"))
						require.NoError(t, err)
						require.Equal(t, prefix+want, to.Path)
					}
				}
			}
		}
	})
}

// TestOthersDoNot keeps what clients of the API get at the root.
func TestOthersDoNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), nil)
		for _, header := range []string{"X: y", "Accept: */*", "Accept: application/json",
			"Accept: application/xhtml+xml, text/*", "Accept: text/html;q=0",
			"Accept: application/json, text/html; q=0.0"} {
			resp, body := r.public.ask(t, "GET", "/", "", header)
			require.Equal(t, 404, resp.StatusCode, header)
			require.JSONEq(t, `{"detail":"Not Found"}`, body)
		}
		resp, _ := r.public.ask(t, "POST", "/", "{}", fromBrowser)
		require.Equal(t, 404, resp.StatusCode)
		resp, _ = r.public.ask(t, "GET", "/nowhere", "", fromBrowser)
		require.Equal(t, 404, resp.StatusCode)
		without := start(t, inMemory(), func(c *server.Config) { c.Docs = server.DocsOff })
		resp, _ = without.public.ask(t, "GET", "/", "", fromBrowser)
		require.Equal(t, 404, resp.StatusCode)
	})
}
