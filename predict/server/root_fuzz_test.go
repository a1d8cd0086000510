package server

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzRoot holds two rules for every target: what is stripped is exactly the root, and a redirect
// leads to the path without slashes at its end, wherever the client sees it.
func FuzzRoot(f *testing.F) {
	const root = "/api/forecast"
	for _, target := range []string{root, root + "/", root + "/predict", "/%61pi/forecast/A%2FB",
		"/api%2Fforecast/x", root + "le", "/api//forecast/x", "/predict/%2F/", "/a:b/", "//", "/%2e/",
		root + root + "/x", "/predict/A%2FB//", "/x/?y=/"} {
		f.Add(target)
	}
	f.Fuzz(func(t *testing.T, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || !strings.HasPrefix(u.Path, "/") || u.Host != "" {
			return
		}
		before := u.Path
		stripRoot(u, root)
		if before != u.Path && before != root+strings.TrimSuffix(u.Path, "/") &&
			before != root+u.Path {
			t.Fatalf("%q becomes %q", before, u.Path)
		}
		if has := before == root || strings.HasPrefix(before, root+"/"); !has && before != u.Path {
			t.Fatalf("%q has not the root, and becomes %q", before, u.Path)
		}
		if again, err := url.PathUnescape(u.EscapedPath()); err != nil || again != u.Path {
			t.Fatalf("%q: the path is %q and spelled %q", target, u.Path, u.EscapedPath())
		}
		want := strings.TrimRight(u.Path, "/")
		if want == "" || want == u.Path || !isClean(want) {
			return // no redirect
		}
		to := withoutSlash(u)
		for _, prefix := range []string{"", "/a", "/a/b"} {
			base, err := url.Parse("http://host" + prefix + u.EscapedPath())
			if err != nil {
				t.Fatal(err)
			}
			followed, err := base.Parse(to)
			if err != nil || followed.Path != prefix+want {
				t.Fatalf("%s: %q leads to %v, want %q (%v)", base, to, followed, prefix+want, err)
			}
		}
	})
}
