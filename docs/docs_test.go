package docs_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"tickercast/docs"
)

func serve(t *testing.T) *httptest.Server {
	t.Helper()
	site := docs.New(docs.Config{NotFound: func(w http.ResponseWriter,
		_ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	}})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /docs", site.Page)
	mux.HandleFunc("GET /docs/{asset}", site.Asset)
	mux.HandleFunc("GET /openapi.json", site.OpenAPI)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// do sends a request with just these headers: its transport adds no Accept-Encoding and unpacks no
// answer.
func do(t *testing.T, method, url string, header ...string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	res, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, body
}

func TestFilesAreServed(t *testing.T) {
	s := serve(t)
	for path, contentType := range map[string]string{
		"/docs":          "text/html; charset=utf-8",
		"/docs/app.css":  "text/css; charset=utf-8",
		"/docs/app.js":   "text/javascript; charset=utf-8",
		"/docs/icon.svg": "image/svg+xml",
		"/openapi.json":  "application/json",
	} {
		res, body := do(t, "GET", s.URL+path)
		if res.StatusCode != 200 || len(body) == 0 {
			t.Fatalf("%s: got %d and %d bytes", path, res.StatusCode, len(body))
		}
		for name, want := range map[string]string{
			"Content-Type": contentType, "Cache-Control": "no-cache", "Vary": "Accept-Encoding",
			"X-Content-Type-Options": "nosniff",
		} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}

		head, none := do(t, "HEAD", s.URL+path)
		if head.StatusCode != 200 || len(none) != 0 || head.ContentLength != int64(len(body)) ||
			head.Header.Get("ETag") != res.Header.Get("ETag") {
			t.Errorf("%s: HEAD answers %d, %d bytes, length %d, ETag %s; want what GET says "+
				"without the body",
				path, head.StatusCode, len(none), head.ContentLength, head.Header.Get("ETag"))
		}

		etag := res.Header.Get("ETag")
		if !regexp.MustCompile(`^"[0-9a-f]{24}"$`).MatchString(etag) {
			t.Errorf("%s: ETag %s is not strong", path, etag)
		}
		for _, held := range []string{etag, "W/" + etag, `"other", ` + etag, "*"} {
			res, body := do(t, "GET", s.URL+path, "If-None-Match", held)
			if res.StatusCode != 304 || len(body) != 0 || res.Header.Get("ETag") != etag ||
				res.Header.Get("Content-Type") != "" {
				t.Errorf("%s with If-None-Match %s: got %d, %d bytes, ETag %s", path, held,
					res.StatusCode, len(body), res.Header.Get("ETag"))
			}
		}
		for _, held := range []string{`"other"`, strings.Trim(etag, `"`), ""} {
			if res, _ := do(t, "GET", s.URL+path, "If-None-Match", held); res.StatusCode != 200 {
				t.Errorf("%s with If-None-Match %s: got %d, want 200", path, held, res.StatusCode)
			}
		}
		if res, got := do(t, "GET", s.URL+path, "Range", "bytes=0-9"); res.StatusCode != 200 ||
			len(got) != len(body) {
			t.Errorf("%s with a Range: got %d and %d bytes, want the whole", path, res.StatusCode,
				len(got))
		}
	}
}

func TestGzip(t *testing.T) {
	s := serve(t)
	plain, body := do(t, "GET", s.URL+"/openapi.json")
	for _, c := range []struct {
		accept string
		packed bool
	}{
		{"gzip", true}, {"deflate, GZIP;q=0.5, br", true}, {"br , gzip ; q = 1", true},
		{"", false}, {"identity", false}, {"gzip;q=0", false}, {"gzip; Q=0.000", false},
		{"x-gzipped", false}, {"gzip;q=much", false},
	} {
		res, got := do(t, "GET", s.URL+"/openapi.json", "Accept-Encoding", c.accept)
		if packed := res.Header.Get("Content-Encoding") == "gzip"; packed != c.packed {
			t.Errorf("Accept-Encoding %q: packed is %t, want %t", c.accept, packed, c.packed)
			continue
		}
		if !c.packed {
			continue
		}
		z, err := gzip.NewReader(bytes.NewReader(got))
		if err != nil {
			t.Fatal(err)
		}
		unpacked, err := io.ReadAll(z)
		if err != nil || !bytes.Equal(unpacked, body) {
			t.Errorf("Accept-Encoding %q: unpacks to %d bytes and %v, want the %d of the plain "+
				"answer", c.accept, len(unpacked), err, len(body))
		}
		if len(got)*3 > len(body) {
			t.Errorf("Accept-Encoding %q: %d bytes packed of %d", c.accept, len(got), len(body))
		}
		etag := res.Header.Get("ETag")
		if etag == plain.Header.Get("ETag") {
			t.Error("packed and plain share a strong ETag")
		}
		if res, _ := do(t, "GET", s.URL+"/openapi.json", "Accept-Encoding", c.accept,
			"If-None-Match", etag); res.StatusCode != 304 {
			t.Errorf("Accept-Encoding %q with its own ETag: got %d, want 304", c.accept,
				res.StatusCode)
		}
	}
}

func TestUnknownAssets(t *testing.T) {
	s := serve(t)
	for _, name := range []string{"nope.js", "index.html", "app.css.map", "..%2fopenapi.json",
		"%00"} {
		if res, _ := do(t, "GET", s.URL+"/docs/"+name); res.StatusCode != http.StatusTeapot {
			t.Errorf("/docs/%s: got %d, want what Config.NotFound answers", name, res.StatusCode)
		}
	}
	w := httptest.NewRecorder()
	docs.New(docs.Config{}).Asset(w, httptest.NewRequest("GET", "/docs/x", nil))
	if w.Code != 404 {
		t.Errorf("without Config.NotFound: got %d, want 404", w.Code)
	}
}

// TestPageKeepsToItself reads the sources, because the browser test sees only what it loads.
func TestPageKeepsToItself(t *testing.T) {
	s := serve(t)
	res, page := do(t, "GET", s.URL+"/docs")
	csp := res.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "connect-src 'self'",
		"frame-ancestors 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("Content-Security-Policy %q lacks %s", csp, want)
		}
	}
	if strings.Contains(csp, "unsafe") {
		t.Errorf("Content-Security-Policy %q allows what is unsafe", csp)
	}

	_, bundle := do(t, "GET", s.URL+"/docs/bundle.js")
	foreign := regexp.MustCompile(
		`https?://|//[a-z]+\.[a-z]|\burl\(['"]|@import|innerHTML|\beval\b`)
	inline := regexp.MustCompile(`(?i) style=| on[a-z]+=|<style|<script>`)
	files, err := os.ReadDir("page")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		source, err := fs.ReadFile(os.DirFS("page"), f.Name())
		if err != nil {
			t.Fatal(err)
		}
		// The namespace of SVG is a name that nothing is loaded from.
		rest := bytes.ReplaceAll(source, []byte("http://www.w3.org/2000/svg"), nil)
		if m := foreign.Find(rest); m != nil {
			t.Errorf("%s contains %q", f.Name(), m)
		}
		if f.Name() == "index.html" {
			if m := inline.Find(source); m != nil {
				t.Errorf("%s contains %q, which the policy refuses", f.Name(), m)
			}
			continue
		}
		if res, _ := do(t, "GET", s.URL+"/docs/"+f.Name()); res.StatusCode != 200 {
			t.Errorf("%s is not embedded", f.Name())
		}
		// One that the page does not name would be found only when another one has come.
		module := strings.TrimSuffix(f.Name(), ".js")
		if module != "app" && !bytes.Contains(page, []byte(`="docs/`+f.Name()+`?v=`)) &&
			!bytes.Contains(bundle, []byte("const module_"+module+" = ")) {
			t.Errorf("neither the page nor the bundle has %s", f.Name())
		}
	}
	if m := regexp.MustCompile(`(?m)^(import|export) .*|^\s*//.*`).Find(bundle); m != nil {
		t.Errorf("the bundle has the line %q", m)
	}
}

// TestVersions follows each name of an asset, in the page and in other assets, to a file that may
// be kept for good.
func TestVersions(t *testing.T) {
	s := serve(t)
	_, page := do(t, "GET", s.URL+"/docs")
	names := regexp.MustCompile(`"(?:docs|\.)/([\w.]+\.(?:js|css|svg)[^"]*)"`)
	found := names.FindAllSubmatch(page, -1)
	if len(found) < 5 {
		t.Fatalf("the page names %d assets", len(found))
	}
	seen := map[string]bool{}
	for i := 0; i < len(found); i++ {
		name := string(found[i][1])
		if seen[name] {
			continue
		}
		seen[name] = true
		file, version, _ := strings.Cut(name, "?v=")
		if version == "" {
			t.Errorf("%s has no version", name)
		}
		res, body := do(t, "GET", s.URL+"/docs/"+name)
		if got := res.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
			t.Errorf("%s: Cache-Control %q", name, got)
		}
		if res, _ := do(t, "GET", s.URL+"/docs/"+file+"?v=other"); res.StatusCode != 200 ||
			res.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s of another version: %d, Cache-Control %q", file, res.StatusCode,
				res.Header.Get("Cache-Control"))
		}
		found = append(found, names.FindAllSubmatch(body, -1)...)
	}
}

// TestKeys compares page and document of a server that wants API keys with those of an open one.
func TestKeys(t *testing.T) {
	for _, keys := range []bool{false, true} {
		w := httptest.NewRecorder()
		site := docs.New(docs.Config{Keys: keys})
		site.OpenAPI(w, httptest.NewRequest("GET", "/openapi.json", nil))
		doc := parseTree(t, w.Body.Bytes())
		op := resolve(doc, "#/paths/~1model/get").(map[string]any)
		if first := asList(op["security"])[0].(map[string]any); (len(first) > 0) != keys {
			t.Errorf("keys %t: the first choice of a client is %v", keys, first)
		}
		w = httptest.NewRecorder()
		site.Page(w, httptest.NewRequest("GET", "/docs", nil))
		if got := strings.Contains(w.Body.String(), `data-keys="asked"`); got != keys {
			t.Errorf("keys %t: the page says %t", keys, got)
		}
		if got := strings.Contains(w.Body.String(), `id="auth" hidden`); got == keys {
			t.Errorf("keys %t: the field for a key is hidden: %t", keys, got)
		}
	}
}
