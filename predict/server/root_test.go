package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"tickercast/predict/server"
)

// serversOf are those of the document that a server gives.
func serversOf(t *testing.T, r *running, path string) (urls []string) {
	t.Helper()
	status, body := r.public.get(t, path)
	require.Equal(t, http.StatusOK, status)
	var document struct{ Servers []struct{ URL string } }
	require.NoError(t, json.Unmarshal([]byte(body), &document))
	for _, s := range document.Servers {
		urls = append(urls, s.URL)
	}
	return urls
}

// TestRootPath asks with the prefix and without: proxies may strip it or not.
func TestRootPath(t *testing.T) {
	const root = "/api/forecast"
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), func(c *server.Config) { c.RootPath = root })
		for _, tt := range []struct {
			method, path string
			status       int
		}{
			{"POST", "/predict", 200}, {"GET", "/predict/AAPL?days_ahead=2", 200},
			{"GET", "/tickers/AAPL?limit=1", 200}, {"GET", "/docs", 200},
			{"GET", "/docs/app.js", 200}, {"GET", "/health", 200}, {"GET", "/v2", 200},
			{"POST", "/predict/", 307}, {"GET", "/docs//", 307},
			{"GET", "/predict/A%2FB", 404}, {"GET", "/predict/%41APL", 200},
			{"GET", "/predict/batch", 405}, {"GET", "/nowhere", 404}, {"GET", "/", 404},
			{"GET", "//health", 404}, {"GET", root + "/health", 200}, {"GET", root, 404},
		} {
			want, body := r.public.ask(t, tt.method, tt.path, aForecast)
			require.Equal(t, tt.status, want.StatusCode, tt.path)
			if strings.HasPrefix(tt.path, root) {
				continue // a prefix is stripped once
			}
			for _, prefix := range []string{root, "/%61pi/forecast"} {
				got, same := r.public.ask(t, tt.method, prefix+tt.path, aForecast)
				require.Equal(t, want.StatusCode, got.StatusCode, prefix+tt.path)
				require.Equal(t, want.Header.Get("Location"), got.Header.Get("Location"))
				require.Equal(t, body, same)
			}
		}
		for _, path := range []string{root + root + "/health", root + "le/health",
			strings.ToUpper(root) + "/health", "/api/health", "/api"} {
			status, _ := r.public.get(t, path)
			require.Equal(t, http.StatusNotFound, status, path)
		}
		require.Equal(t, []string{root}, serversOf(t, r, root+"/openapi.json"))
		require.Equal(t, []string{root}, serversOf(t, r, "/openapi.json"))
	})
}

func TestBadRootPaths(t *testing.T) {
	for _, root := range []string{"api", "/", "/api/", "/a//b", "/a/../b", "/.", "/a b", "/a%20b",
		`/a"b`, "/é", "/predict", "/v2/x", "/docs", "http://host/api", "/a?b"} {
		cfg := server.Default()
		cfg.Load, cfg.Logger, cfg.RootPath = loadEmbedded, discard(), root
		require.ErrorContains(t, cfg.Validate(), "-root-path", root)
	}
}

// TestRedirectsHold follows redirects as a client does that sees the server below a prefix.
func TestRedirectsHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), nil)
		require.Equal(t, []string{"."}, serversOf(t, r, "/openapi.json"))
		for _, path := range []string{"/predict", "/predict/batch", "/predict/AAPL",
			"/predict/A%3AB", "/tickers", "/docs", "/docs/app.js", "/v2/models/tickercast/infer"} {
			for _, end := range []string{"/", "//", "////", "%2F", "/%2F", "%2f/"} {
				resp, _ := r.public.ask(t, "GET", path+end+"?x=1", "")
				require.Equal(t, 307, resp.StatusCode, path+end)
				to := resp.Header.Get("Location")
				for _, prefix := range []string{"", "/api", "/api/forecast"} {
					base, err := url.Parse("http://host" + prefix + path + end + "?x=1")
					require.NoError(t, err)
					followed, err := base.Parse(to)
					require.NoError(t, err)
					want, err := url.Parse("http://host" + prefix + path + "?x=1")
					require.NoError(t, err)
					require.Equal(t, want.Path, followed.Path, "%s leads from %s to", to, base)
					require.Equal(t, want.RawQuery, followed.RawQuery)
				}
			}
		}
	})
}

func TestWhoGetsTheDocuments(t *testing.T) {
	keys := tempFile(t, "keys", keysOf("alice: key-of-alice"))
	for docs, want := range map[string][2]int{ // without a key, and with one
		server.DocsOpen: {200, 200}, server.DocsKey: {401, 200}, server.DocsOff: {404, 404},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := start(t, inMemory(), func(c *server.Config) { c.KeysFile, c.Docs = keys, docs })
			for _, path := range []string{"/docs", "/docs/app.js", "/openapi.json"} {
				for i, header := range []string{"X: y", "X-API-Key: key-of-alice"} {
					resp, _ := r.public.ask(t, "GET", path, "", header)
					require.Equal(t, want[i], resp.StatusCode, "%s: %s, %s", docs, path, header)
				}
			}
			status, _ := r.public.get(t, "/health")
			require.Equal(t, 200, status)
		})
	}
	cfg := server.Default()
	cfg.Load, cfg.Logger, cfg.Docs = loadEmbedded, discard(), server.DocsKey
	require.ErrorContains(t, cfg.Validate(), "-docs key needs -api-keys")
	cfg.Docs = "private"
	require.ErrorContains(t, cfg.Validate(), `-docs "private" is not open, key or off`)
}
