// Package docs embeds the OpenAPI document and the page that shows it: a studio that draws
// forecasts, a panel that says how they did, and a reference that tries every route. The page loads
// nothing from another host.
//
// The document is written by hand. Tests here check it against itself (references, examples,
// limits); tests of predict/server check it against the routes, and its examples against answers.
package docs

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"sync"
)

// Files are named one by one, so that no other file of this folder can get into the binary.
//
//go:embed openapi.json page/index.html page/app.css page/reference.css page/icon.svg
//go:embed page/app.js page/api.js page/calibration.js page/chart.js page/console.js page/dom.js
//go:embed page/json.js page/picker.js page/plot.js page/reference.js page/route.js page/schema.js
//go:embed page/search.js page/snippets.js page/studio.js
//go:embed page/answer.js page/cursor.js page/download.js page/origin.js page/own.js
//go:embed page/question.js page/retry.js page/scale.js page/series.js page/settings.js
//go:embed page/early.js page/status.js page/studio.css page/table.js
var files embed.FS

// JSON returns the OpenAPI document. The caller owns the slice.
func JSON() []byte { return read("openapi.json") }

// Config configures a Site.
type Config struct {
	// NotFound answers requests for unknown assets; nil means http.NotFound.
	NotFound http.HandlerFunc

	// MaxItems is how many requests a batch may have, for the document; 0 means 1000.
	MaxItems int

	// RootPath is the prefix of the document's paths, in characters that need no escape. Without
	// one they are relative to the document.
	RootPath string

	// Keys says that requests need an API key.
	Keys bool
}

// Site serves the page, its assets and the document. Its methods are handlers for GET and HEAD,
// safe for concurrent use.
type Site struct {
	content  func() *content // made for the first request, as it takes longer than to start
	notFound http.HandlerFunc
}

type content struct {
	page, openAPI *static
	assets        map[string]*static
	version       string // of all files of the page together
}

// New returns a Site of the embedded files.
func New(cfg Config) *Site {
	s := &Site{notFound: cfg.NotFound,
		content: sync.OnceValue(func() *content { return newContent(cfg) })}
	if s.notFound == nil {
		s.notFound = http.NotFound
	}
	return s
}

func newContent(cfg Config) *content {
	document := below(withMaxItems(JSON(), cfg.MaxItems), cfg.RootPath)
	if cfg.Keys {
		// Without {}, the choice to send none.
		document = bytes.ReplaceAll(document, []byte(`"security": [{}, `),
			[]byte(`"security": [`))
	}
	s := &content{
		openAPI: newStatic("application/json", document),
		assets:  map[string]*static{},
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
	var names []string
	sum := sha256.New()
	for _, e := range entries {
		fmt.Fprintf(sum, "%s %x ", e.Name(), sha256.Sum256(read("page/"+e.Name())))
		if types[path.Ext(e.Name())] != "" {
			names = append(names, e.Name())
		}
	}
	s.version = hex.EncodeToString(sum.Sum(nil)[:6])
	for _, name := range names {
		s.assets[name] = newStatic(types[path.Ext(name)],
			versioned(read("page/"+name), "./", names, s.version))
	}
	const all = "bundle.js"
	s.assets[all] = newStatic(types[".js"],
		bundle(func(name string) string { return string(read("page/" + name + ".js")) }))
	page := complete(read("page/index.html"), document, cfg.Keys)
	s.page = newStatic("text/html; charset=utf-8",
		versioned(page, "docs/", append(names, all), s.version))
	return s
}

// versioned puts the version behind each asset that a file names in quotes, so that a browser may
// keep the asset for good: another version has another URL.
func versioned(file []byte, folder string, names []string, version string) []byte {
	for _, name := range names {
		file = bytes.ReplaceAll(file, []byte(`"`+folder+name+`"`),
			[]byte(`"`+folder+name+"?v="+version+`"`))
	}
	return file
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

// below is the document of a server below a prefix.
func below(document []byte, root string) []byte {
	if root == "" {
		return document
	}
	return bytes.Replace(document, []byte(`"servers": [{"url": "."`),
		[]byte(`"servers": [{"url": "`+root+`"`), 1)
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
	s.content().page.ServeHTTP(w, r)
}

// Asset serves the file that the path value "asset" names.
func (s *Site) Asset(w http.ResponseWriter, r *http.Request) {
	c := s.content()
	f, ok := c.assets[r.PathValue("asset")]
	if !ok {
		s.notFound(w, r)
		return
	}
	if r.URL.RawQuery == "v="+c.version {
		w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	f.ServeHTTP(w, r)
}

// OpenAPI serves the document.
func (s *Site) OpenAPI(w http.ResponseWriter, r *http.Request) {
	s.content().openAPI.ServeHTTP(w, r)
}

func read(name string) []byte {
	b, err := files.ReadFile(name)
	if err != nil {
		panic(err) // cannot happen: the file is embedded
	}
	return b
}
