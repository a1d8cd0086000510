// Package docs embeds the OpenAPI document and the page that shows it: a reference, a console for
// every route, and a studio that draws forecasts. The page loads nothing from another host.
//
// The document is written by hand. Tests here check it against itself (references, examples,
// limits); tests of predict/server check it against the routes.
package docs

import (
	"bytes"
	"embed"
	"fmt"
	"net/http"
	"path"
)

// Files are named one by one, so that no other file of this folder can get into the binary.
//
//go:embed openapi.json page/index.html page/app.css page/icon.svg
//go:embed page/app.js page/api.js page/chart.js page/console.js page/dom.js page/picker.js
//go:embed page/plot.js page/reference.js page/schema.js page/snippets.js page/studio.js
//go:embed page/answer.js page/cursor.js page/download.js page/origin.js page/own.js
//go:embed page/question.js page/retry.js page/scale.js page/series.js page/settings.js
//go:embed page/status.js page/studio.css page/table.js
var files embed.FS

// JSON returns the OpenAPI document. The caller owns the slice.
func JSON() []byte { return read("openapi.json") }

// Config configures a Site.
type Config struct {
	// NotFound answers requests for unknown assets; nil means http.NotFound.
	NotFound http.HandlerFunc

	// MaxItems is how many requests a batch may have, for the document; 0 means 1000.
	MaxItems int

	// RootPath is the prefix of the document's paths, in characters that need no escape.
	RootPath string
}

// Site serves the page, its assets and the document. Its methods are handlers for GET and HEAD,
// safe for concurrent use.
type Site struct {
	page, openAPI *static
	assets        map[string]*static
	notFound      http.HandlerFunc
}

// New returns a Site of the embedded files.
func New(cfg Config) *Site {
	s := &Site{
		page: newStatic("text/html; charset=utf-8", read("page/index.html")),
		openAPI: newStatic("application/json", below(withMaxItems(JSON(), cfg.MaxItems),
			cfg.RootPath)),
		assets:   map[string]*static{},
		notFound: cfg.NotFound,
	}
	if s.notFound == nil {
		s.notFound = http.NotFound
	}
	// The types that package mime gives depend on the machine.
	types := map[string]string{
		".css": "text/css; charset=utf-8",
		".js":  "text/javascript; charset=utf-8",
		".svg": "image/svg+xml",
	}
	entries, err := files.ReadDir("page")
	if err != nil {
		panic(err) // cannot happen: the folder is embedded
	}
	for _, e := range entries {
		if t, ok := types[path.Ext(e.Name())]; ok {
			s.assets[e.Name()] = newStatic(t, read("page/"+e.Name()))
		}
	}
	return s
}

// withMaxItems puts a limit of items into the document where it has the default.
func withMaxItems(doc []byte, n int) []byte {
	if n == 0 {
		return doc
	}
	for _, limit := range []string{`"maxItems": %d`, `"maximum": %d}`} {
		doc = bytes.ReplaceAll(doc, fmt.Appendf(nil, limit, 1000), fmt.Appendf(nil, limit, n))
	}
	return doc
}

// policy lets the page load its own files and call its own server. It forbids inline script and
// style, other hosts, frames around the page, forms, and HTML made from strings.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// Page serves the page. Its links to assets are relative to the path /docs.
func (s *Site) Page(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	s.page.ServeHTTP(w, r)
}

// Asset serves the file that the path value "asset" names.
func (s *Site) Asset(w http.ResponseWriter, r *http.Request) {
	f, ok := s.assets[r.PathValue("asset")]
	if !ok {
		s.notFound(w, r)
		return
	}
	f.ServeHTTP(w, r)
}

// OpenAPI serves the document.
func (s *Site) OpenAPI(w http.ResponseWriter, r *http.Request) { s.openAPI.ServeHTTP(w, r) }

// below is the document of a server below a prefix.
func below(document []byte, root string) []byte {
	if root == "" {
		return document
	}
	return bytes.Replace(document, []byte(`"servers": [{"url": "/"`),
		[]byte(`"servers": [{"url": "`+root+`"`), 1)
}

func read(name string) []byte {
	b, err := files.ReadFile(name)
	if err != nil {
		panic(err) // cannot happen: the file is embedded
	}
	return b
}
