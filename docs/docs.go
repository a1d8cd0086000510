// Package docs holds the OpenAPI document of the server and the page that shows it, both embedded:
// a reference, a console for every route, and a studio that draws forecasts. The page loads nothing
// from another host, and its Content-Security-Policy lets it run nothing but its own files.
//
// The package does not generate the document from the code. It is written by hand, for its readers;
// tests here hold it to itself (references, examples, limits), and tests of package main hold it to
// the routes.
package docs

import (
	"embed"
	"net/http"
	"path"
)

// Files are embedded by name, so that what else lies in this folder can never end up in the binary.
//
//go:embed openapi.json page/index.html page/app.css page/icon.svg
//go:embed page/app.js page/api.js page/chart.js page/console.js page/dom.js page/picker.js page/plot.js
//go:embed page/reference.js page/schema.js page/snippets.js page/studio.js
var files embed.FS

// JSON returns the OpenAPI document. The caller owns the slice.
func JSON() []byte { return read("openapi.json") }

// Config configures a Site.
type Config struct {
	// NotFound answers for an asset that is not there; nil means http.NotFound.
	NotFound http.HandlerFunc
}

// Site serves the page, its assets and the document. Its methods are handlers for GET and HEAD and
// safe for concurrent use.
type Site struct {
	page, openAPI *static
	assets        map[string]*static
	notFound      http.HandlerFunc
}

// New returns a Site of the embedded files.
func New(cfg Config) *Site {
	s := &Site{
		page:     newStatic("text/html; charset=utf-8", read("page/index.html")),
		openAPI:  newStatic("application/json", JSON()),
		assets:   map[string]*static{},
		notFound: cfg.NotFound,
	}
	if s.notFound == nil {
		s.notFound = http.NotFound
	}
	// A table of our own: the mime package asks the machine, and a machine may say otherwise.
	types := map[string]string{
		".css": "text/css; charset=utf-8",
		".js":  "text/javascript; charset=utf-8",
		".svg": "image/svg+xml",
	}
	entries, err := files.ReadDir("page")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	for _, e := range entries {
		if t, ok := types[path.Ext(e.Name())]; ok {
			s.assets[e.Name()] = newStatic(t, read("page/"+e.Name()))
		}
	}
	return s
}

// policy lets the page load its own files and call its own server, and nothing else: no inline
// script or style, no other host, no frame around it, no form, no HTML made from strings.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// Page serves the page, at /docs: its links to assets are relative to that.
func (s *Site) Page(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	s.page.ServeHTTP(w, r)
}

// Asset serves the file of the page that the path value "asset" names.
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

func read(name string) []byte {
	b, err := files.ReadFile(name)
	if err != nil {
		panic(err) // named in an embed line above
	}
	return b
}
