package server

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// checkRoot refuses a root path that could not be told from the paths below it. Its characters need
// no escape, neither in a URL nor in JSON.
func checkRoot(root string) error {
	if root == "" {
		return nil
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(root, "/"), "/")
	switch {
	case root[0] != '/' || strings.HasSuffix(root, "/") || !isClean(root):
		return fmt.Errorf("-root-path %q is not of the form /prefix, without a slash at the end",
			root)
	case strings.Trim(strings.ToLower(root), "abcdefghijklmnopqrstuvwxyz0123456789-._~/") != "":
		return fmt.Errorf("-root-path %q: letters, digits, - . _ ~ and / are allowed", root)
	case slices.Contains([]string{"predict", "tickers", "model", "v2", "health", "livez", "readyz",
		"docs", "openapi.json"}, first):
		return fmt.Errorf("-root-path %q: a path of the server itself begins with /%s", root, first)
	}
	return nil
}

// stripRoot takes the root path off a path that has it, however it is spelled. A proxy may have
// done that already.
func stripRoot(u *url.URL, root string) {
	if root == "" {
		return
	}
	escaped, end := u.EscapedPath(), 0
	for range strings.Count(root, "/") {
		next := strings.IndexByte(escaped[min(end+1, len(escaped)):], '/')
		if end++; next < 0 {
			end = len(escaped)
			break
		}
		end += next
	}
	if prefix, err := url.PathUnescape(escaped[:end]); err == nil && prefix == root {
		u.Path, u.RawPath = max(u.Path[len(root):], "/"), escaped[end:]
	}
}

// withoutSlash is a relative reference from a URL to the same without slashes at its end, so that
// it holds behind a proxy that strips a prefix.
func withoutSlash(u *url.URL) string {
	escaped := u.EscapedPath()
	path := strings.TrimRight(u.Path, "/")
	up := len(escaped) - len(strings.TrimRight(escaped, "/"))
	name := path[strings.LastIndexByte(path, '/')+1:]
	if strings.Contains(strings.ToLower(escaped), "%2f") {
		// A slash that is spelled out does not count for the client: begin at the root.
		up, name = strings.Count(escaped, "/")-1, path[1:]
	}
	to := url.URL{Path: strings.Repeat("../", up) + name, RawQuery: u.RawQuery}
	return to.String()
}
