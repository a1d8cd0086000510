package predict

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Front wraps a mux so that what none of its routes takes is answered as the contract says, in
// JSON: 404, 405 with Allow, and 307 where only the slashes at the end are too many. Every route
// must name its method. Front takes the mux's "/".
func Front(mux *http.ServeMux) http.Handler {
	f := front{mux}
	mux.HandleFunc("/", f.unrouted)
	return f
}

type front struct{ mux *http.ServeMux }

func (f front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The mux would redirect these itself, absolutely and with a page of HTML.
	if p := r.URL.Path; !strings.HasPrefix(p, "/") || len(p) > 1 &&
		(p[len(p)-1] == '/' || !isClean(p)) {
		f.untidy(w, r)
		return
	}
	if r.Method != http.MethodPost && f.hidden(r) {
		f.unrouted(w, r)
		return
	}
	f.mux.ServeHTTP(w, r)
}

// hidden tells whether the mux has a route for r only because a wildcard matches what POST has a
// route of its own for: GET /predict/batch asks for no ticker of that name.
func (f front) hidden(r *http.Request) bool {
	p := r.URL.Path
	return f.pattern(http.MethodPost, p) == http.MethodPost+" "+p &&
		!slices.Contains(f.methods(p), r.Method)
}

// pattern is that of the mux's route for a method and a path; "" and "/" are none.
func (f front) pattern(method, path string) string {
	_, pattern := f.mux.Handler(&http.Request{Method: method, URL: &url.URL{Path: path}})
	return pattern
}

// untidy answers a path that no route has as it stands.
func (f front) untidy(w http.ResponseWriter, r *http.Request) {
	p := strings.TrimRight(r.URL.Path, "/")
	if !strings.HasPrefix(p, "/") || !isClean(p) || len(f.methods(p)) == 0 {
		NotFound(w, r)
		return
	}
	to := url.URL{Path: p, RawQuery: r.URL.RawQuery}
	w.Header().Set("Location", to.String())
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusTemporaryRedirect)
}

// unrouted answers a path that has no route, or none for its method.
func (f front) unrouted(w http.ResponseWriter, r *http.Request) {
	if allow := f.methods(r.URL.Path); len(allow) > 0 {
		w.Header().Set("Allow", strings.Join(allow, ", "))
		WriteError(w, &Error{Status: http.StatusMethodNotAllowed, Detail: "Method Not Allowed"})
		return
	}
	NotFound(w, r)
}

// methods asks the mux which methods it has a route for; it keeps no second list that could differ.
// Where a route names the path itself, those with a wildcard do not count.
func (f front) methods(path string) (allow []string) {
	named := false
	for _, m := range [...]string{"DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"} {
		pattern := f.pattern(m, path)
		if pattern == "" || pattern == "/" {
			continue
		}
		_, route, _ := strings.Cut(pattern, " ") // HEAD is GET's too, so compare paths alone
		switch {
		case route == path && !named:
			named, allow = true, []string{m}
		case (route == path) == named:
			allow = append(allow, m)
		}
	}
	return allow
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

// NotFound answers 404.
func NotFound(w http.ResponseWriter, _ *http.Request) {
	WriteError(w, &Error{Status: http.StatusNotFound, Detail: "Not Found"})
}

// BadRequest answers 400, for what is wrong with a request before any route is asked.
func BadRequest(w http.ResponseWriter, _ *http.Request) {
	WriteError(w, &Error{Status: http.StatusBadRequest, Detail: "Bad Request"})
}
