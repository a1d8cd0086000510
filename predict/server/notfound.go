package server

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"tickercast/predict"
)

// A router puts the contract's answers, in JSON, where a ServeMux has its own: 404, 405 with Allow,
// and 307 where only slashes at the end are too many.
type router struct {
	mux     *http.ServeMux
	methods map[string][]string // by path, of routes without a wildcard
	root    string              // a prefix that paths may have or not
}

// newRouter wraps a mux that holds routes. It takes the mux's "/".
func newRouter(mux *http.ServeMux, routes []route, root string) *router {
	rt := &router{mux, map[string][]string{}, root}
	for _, r := range routes {
		if strings.Contains(r.path, "{") {
			continue
		}
		rt.methods[r.path] = append(rt.methods[r.path], r.method)
		if r.method == http.MethodGet {
			rt.methods[r.path] = append(rt.methods[r.path], http.MethodHead)
		}
	}
	mux.HandleFunc("/", rt.noRoute)
	return rt
}

func (rt *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	asked := r.URL.Path
	stripRoot(r.URL, rt.root)
	p := r.URL.Path
	if p == "/" && rt.methods["/docs"] != nil && wantsPage(r) {
		rt.redirectToPage(w, asked)
		return
	}
	// The mux would redirect these itself, to an absolute URL and with a page of HTML.
	if !strings.HasPrefix(p, "/") || len(p) > 1 && (p[len(p)-1] == '/' || !isClean(p)) {
		rt.redirectSlash(w, r)
		return
	}
	// A wildcard must not take what a literal path has under another method: GET /predict/batch
	// asks for no ticker of that name.
	if methods, ok := rt.methods[p]; ok && !slices.Contains(methods, r.Method) {
		rt.noRoute(w, r)
		return
	}
	rt.mux.ServeHTTP(w, r)
}

// wantsPage reports whether a browser asks: it names HTML, which no client of the API does. Those
// get the 404 that they always got.
func wantsPage(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	for _, line := range r.Header["Accept"] {
		for item := range strings.SplitSeq(line, ",") {
			kind, params, _ := strings.Cut(item, ";")
			if strings.EqualFold(strings.TrimSpace(kind), "text/html") {
				weight := strings.ReplaceAll(strings.ToLower(params), " ", "")
				return strings.Trim(strings.TrimPrefix(weight, "q="), "0.") != "" || weight == ""
			}
		}
	}
	return false
}

// redirectToPage sends a browser from the root to the page. The reference is relative, so that it
// holds behind a proxy that strips a prefix; a root path without a slash at its end counts as a
// file name there.
func (rt *router) redirectToPage(w http.ResponseWriter, asked string) {
	to := "docs"
	if rt.root != "" && asked == rt.root {
		to = path.Base(rt.root) + "/docs"
	}
	w.Header().Set("Location", to)
	w.Header().Add("Vary", "Accept") // CORS may have added Origin
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusTemporaryRedirect)
}

// redirectSlash answers a path that is not clean, or ends in a slash.
func (rt *router) redirectSlash(w http.ResponseWriter, r *http.Request) {
	p := strings.TrimRight(r.URL.Path, "/")
	if !strings.HasPrefix(p, "/") || !isClean(p) || len(rt.allowed(p)) == 0 {
		notFound(w, r)
		return
	}
	w.Header().Set("Location", withoutSlash(r.URL))
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusTemporaryRedirect)
}

// noRoute answers a path that has no route, or none for the request's method.
func (rt *router) noRoute(w http.ResponseWriter, r *http.Request) {
	allow := rt.allowed(r.URL.Path)
	if len(allow) == 0 {
		notFound(w, r)
		return
	}
	w.Header().Set("Allow", strings.Join(allow, ", "))
	predict.WriteError(w, r, &predict.Error{Status: http.StatusMethodNotAllowed,
		Detail: "Method Not Allowed"})
}

// allowed returns the methods that a path has a route for.
func (rt *router) allowed(path string) (methods []string) {
	if m, ok := rt.methods[path]; ok {
		return m
	}
	for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		_, pattern := rt.mux.Handler(&http.Request{Method: m, URL: &url.URL{Path: path}})
		if pattern != "" && pattern != "/" {
			methods = append(methods, m)
		}
	}
	return methods
}

// isClean reports whether no segment of a path is empty, a dot or two dots; the last may be empty.
func isClean(p string) bool {
	for i := 1; i < len(p); i++ {
		if p[i-1] != '/' {
			continue
		}
		segment, _, more := strings.Cut(p[i:], "/")
		if segment == "" && more || segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// notFound answers 404.
func notFound(w http.ResponseWriter, r *http.Request) {
	predict.WriteError(w, r, &predict.Error{Status: http.StatusNotFound, Detail: "Not Found"})
}
